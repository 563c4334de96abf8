package org.fedlora4j.model.exec;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.factory.Nd4jBackend;

/**
 * Which backend this process runs on, and what is wrong with it.
 *
 * @param problem why it can't be used and what to do, in one line; null where it can
 */
record BackendChoice(Backend backend, @Nullable String problem) {
    private static final String SETTING = "fedlora.backend";

    private static final class Holder {
        static final BackendChoice MADE =
                decide(System.getProperty(SETTING), Backend.CUDA.isInBuild(), BackendChoice::problemOfThisMachine);
    }

    /** The choice for this process. Where it is the CPU, no native library is loaded. */
    static BackendChoice made() {
        return Holder.MADE;
    }

    /**
     * The choice alone.
     *
     * @param setting null for none
     * @param problemOfCuda why CUDA can't be used and what to do, or null; asked only where it is wanted
     */
    static BackendChoice decide(
            @Nullable String setting, boolean cudaInBuild, Supplier<@Nullable String> problemOfCuda) {
        if (setting != null && !setting.equals("cpu") && !setting.equals("cuda")) {
            return new BackendChoice(Backend.CPU, SETTING + ": found " + setting + ", wanted cpu or cuda");
        }
        if (!cudaInBuild && "cuda".equals(setting)) {
            return new BackendChoice(
                    Backend.CPU,
                    SETTING + ": found cuda, which this build is without; wanted cpu, or a build with mvn -P cuda"
                            + " (docs/gpu.md)");
        }
        if (!cudaInBuild || "cpu".equals(setting)) {
            return new BackendChoice(Backend.CPU, null);
        }
        String problem = problemOfCuda.get();
        return new BackendChoice(
                Backend.CUDA,
                problem == null
                        ? null
                        : "CUDA can't be used: " + problem + ", or run on the CPU with JAVA_OPTS=-D" + SETTING
                                + "=cpu");
    }

    private static @Nullable String problemOfThisMachine() {
        String problem = CudaDriver.problem(CudaDriver.detect());
        return problem == null ? problemOfNd4j(Backend.CUDA.implementation()) : problem;
    }

    /** ND4J's own check, which loads CUDA's libraries; when it fails later, ND4J prints a stack trace. */
    static @Nullable String problemOfNd4j(String implementation) {
        try {
            Nd4jBackend backend = Class.forName(implementation)
                    .asSubclass(Nd4jBackend.class)
                    .getDeclaredConstructor()
                    .newInstance();
            return backend.canRun() ? null : "ND4J refuses it: see docs/gpu.md";
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            return "ND4J's own check fails (" + e + "): see docs/gpu.md";
        }
    }
}
