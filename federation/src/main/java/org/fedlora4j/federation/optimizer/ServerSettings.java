package org.fedlora4j.federation.optimizer;

import org.fedlora4j.common.BadInputException;

/**
 * How the server moves from its value x towards the clients' aggregate; D is the tangent at x that leads there (the
 * difference, in flat space). The optimizers are those of Reddi et al., Adaptive Federated Optimization (arXiv
 * 2003.00295), without bias correction as there.
 */
public sealed interface ServerSettings {
    /** The aggregate itself: federated averaging. */
    ServerSettings AGGREGATE = new Step(1);

    /** {@code x <- exp_x(step · D)}; a step of 1 is the aggregate itself. */
    record Step(double step) implements ServerSettings {
        public Step {
            requirePositive("step", step);
        }
    }

    /** {@code v <- momentum · v + D; x <- exp_x(step · v)}. */
    record Momentum(double step, double momentum) implements ServerSettings {
        public Momentum {
            requirePositive("step", step);
            requireFraction("momentum", momentum);
        }
    }

    /**
     * {@code m <- beta1 m + (1 - beta1) D; v <- beta2 v + (1 - beta2) D²; x <- exp_x(step · m / (sqrt(v) + epsilon))}.
     * On the sphere D² is the squared length of the vector's tangent.
     */
    record Adam(double step, double beta1, double beta2, double epsilon) implements ServerSettings {
        public Adam {
            requirePositive("step", step);
            requireFraction("beta1", beta1);
            requireFraction("beta2", beta2);
            requirePositive("epsilon", epsilon);
        }
    }

    private static void requirePositive(String field, double value) {
        if (!(value > 0 && Double.isFinite(value))) {
            throw new BadInputException("server." + field + ": " + value + ", wanted a number above 0");
        }
    }

    private static void requireFraction(String field, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new BadInputException("server." + field + ": " + value + ", wanted at least 0 and below 1");
        }
    }
}
