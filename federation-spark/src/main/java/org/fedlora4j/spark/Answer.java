package org.fedlora4j.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.jspecify.annotations.Nullable;

/**
 * What a task returns for a client: how training went, and the update's values. Tensors are bytes already, so Java's
 * serialization has little to do.
 *
 * @param values of the parts that the phase shares, see {@link Wire}
 */
record Answer(Head head, byte[] values) implements Serializable {
    /**
     * All but the values.
     *
     * @param refused why there is no update: what the user can mend, such as data that isn't there; trying again would not
     *     help
     * @param losses of the client's steps, none where the update was saved by a task before that was lost
     * @param tokens of the same steps
     */
    record Head(
            String clientId,
            @Nullable String refused,
            int rank,
            long weight,
            TreeMap<String, Double> metrics,
            double[] losses,
            long[] tokens)
            implements Serializable {
        /** Throws {@link BadInputException} with the reason, if the client refused. */
        void requireTrained() {
            if (refused != null) {
                throw new BadInputException(refused);
            }
        }

        /** Tells of the steps as if they were made now. */
        void replay(RoundContext context, RunListener listener) {
            for (int step = 0; step < losses.length; step++) {
                listener.clientStep(context, clientId, step + 1, losses[step], tokens[step]);
            }
        }
    }

    static Answer refusal(String clientId, String reason) {
        return new Answer(new Head(clientId, reason, 1, 1, new TreeMap<>(), new double[0], new long[0]), new byte[0]);
    }

    static Answer of(SharedUpdate update, Steps steps) {
        Head head = new Head(
                update.clientId(),
                null,
                update.rank(),
                update.weight(),
                new TreeMap<>(update.metrics()),
                steps.losses.stream().mapToDouble(Double::doubleValue).toArray(),
                steps.tokens.stream().mapToLong(Long::longValue).toArray());
        return new Answer(head, Wire.bytes(update.values()));
    }

    /**
     * The update, checked again.
     *
     * @param wanted what the phase shares, as it is now
     * @throws BadInputException with the reason, if the client refused
     */
    SharedUpdate update(RoundContext context, SharedParts shared, PartValues wanted) {
        head.requireTrained();
        return new SharedUpdate(
                head.clientId(),
                context.phase(),
                context.roundsBefore(),
                shared,
                head.rank(),
                head.weight(),
                head.metrics(),
                Wire.values(values, wanted));
    }

    /** Notes a client's steps. */
    static final class Steps implements RunListener {
        private final List<Double> losses = new ArrayList<>();
        private final List<Long> tokens = new ArrayList<>();

        @Override
        public void clientStep(RoundContext context, String clientId, int step, double loss, long count) {
            losses.add(loss);
            tokens.add(count);
        }
    }
}
