package org.fedlora4j.model.exec;

import org.fedlora4j.common.BadInputException;
import org.jspecify.annotations.Nullable;

/**
 * ND4J's backends. A build has the CPU's, and with the Maven profile {@code cuda} the GPU's beside it, which is then the one
 * that is used; the system property {@code fedlora.backend} ({@code cpu} or {@code cuda}) says otherwise.
 */
public enum Backend {
    CPU("org.nd4j.linalg.cpu.nativecpu.CpuBackend"),
    CUDA("org.nd4j.linalg.jcublas.JCublasBackend");

    private static @Nullable Backend pretended;

    private final String implementation;

    Backend(String implementation) {
        this.implementation = implementation;
    }

    /**
     * The backend of this process.
     *
     * @throws BadInputException if it can't be used here; the message says why and what to do
     */
    public static Backend active() {
        if (pretended != null) {
            return pretended;
        }
        BackendChoice choice = BackendChoice.made();
        if (choice.problem() != null) {
            throw new BadInputException(choice.problem());
        }
        return choice.backend();
    }

    /**
     * Whether arrays lie in memory that Java addresses: then files are mapped, kernels and oneDNN run on arrays, and 16-bit
     * products may be had. Else all goes through ND4J, and weights are copied.
     */
    public boolean sharesMemory() {
        return this == CPU;
    }

    /** Whether ND4J has it on the class path. */
    boolean isInBuild() {
        String resource = implementation.replace('.', '/') + ".class";
        return Backend.class.getClassLoader().getResource(resource) != null;
    }

    /** The class by which ND4J's service loader knows it. */
    String implementation() {
        return implementation;
    }

    /** What {@link #pretend} began, until it is closed. */
    public interface Pretence extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * For tests: has our code run as on another backend, whichever ND4J runs on. Models, adapters and arrays made meanwhile
     * are used and closed meanwhile.
     */
    public static Pretence pretend(Backend backend) {
        pretended = backend;
        return () -> pretended = null;
    }
}
