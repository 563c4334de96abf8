package org.fedlora4j.spark;

import java.io.IOException;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientSession;
import org.fedlora4j.federation.SharedUpdate;

/**
 * Has a client train one phase. The client saves what it keeps and sends, so a task that is run again, because its executor
 * was lost, sends the same.
 *
 * @param shared A and B of the global model, see {@link Wire}
 */
record TrainTask(Broadcast<Assignment> assignment, Broadcast<byte[]> shared, int stage)
        implements Function<String, Answer> {
    @Override
    public Answer call(String clientId) throws IOException {
        Assignment run = assignment.value();
        try {
            return ExecutorModel.turn(run.model(), model -> {
                Answer.Steps steps = new Answer.Steps();
                try (ClientSession session = model.session(run.clients().client(clientId), run.states(clientId))) {
                    SharedUpdate update =
                            session.train(model.settings().context(stage), model.shared(shared.value()), steps);
                    return Answer.of(update, steps);
                }
            });
        } catch (BadInputException e) {
            return Answer.refusal(clientId, String.valueOf(e.getMessage()));
        }
    }
}
