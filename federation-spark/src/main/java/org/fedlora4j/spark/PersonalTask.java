package org.fedlora4j.spark;

import java.io.IOException;
import java.util.Set;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.fedlora4j.federation.ClientSession;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.lora.Part;

/** Gives a client's own model, as A and B, see {@link Wire}. */
record PersonalTask(Broadcast<Assignment> assignment, Broadcast<byte[]> shared) implements Function<String, byte[]> {
    @Override
    public byte[] call(String clientId) throws IOException {
        Assignment run = assignment.value();
        return ExecutorModel.turn(run.model(), model -> {
            SharedParts global = model.shared(shared.value());
            try (ClientSession session = model.session(run.clients().client(clientId), run.states(clientId))) {
                return Wire.bytes(new SharedParts(session.model(global), global.axis()).values(Set.of(Part.A, Part.B)));
            }
        });
    }
}
