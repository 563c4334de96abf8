package org.fedlora4j.lora;

/** How a learning rate goes on over all steps of a training, as a factor on it. */
public enum LearningRateSchedule {
    /** Stays. */
    CONSTANT {
        @Override
        public double factor(long step, long steps) {
            return 1;
        }
    },
    /** Falls to 0 on a straight line. */
    LINEAR {
        @Override
        public double factor(long step, long steps) {
            return 1 - (double) step / steps;
        }
    },
    /** Falls to 0 on half a wave of the cosine, as in SGDR (arXiv 1608.03983, equation 5) without restarts. */
    COSINE {
        @Override
        public double factor(long step, long steps) {
            return (1 + Math.cos(Math.PI * step / steps)) / 2;
        }
    };

    /**
     * The factor of one step: 1 at the first, 0 after the last.
     *
     * @param step from 0
     * @param steps of the whole training
     */
    public abstract double factor(long step, long steps);
}
