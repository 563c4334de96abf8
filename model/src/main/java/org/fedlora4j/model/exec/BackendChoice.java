package org.fedlora4j.model.exec;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Which backend this process runs on, and what is wrong with it.
 *
 * @param problem why it can't be used and what to do, in one line; null where it can
 */
record BackendChoice(Backend backend, @Nullable String problem) {
    private static final String SETTING = "fedlora.backend";

    private static final class Holder {
        static final BackendChoice MADE =
                decide(System.getProperty(SETTING), Backend.CUDA.isInBuild(), CudaDriver::detect);
    }

    /** The choice for this process. It loads no class of ND4J. */
    static BackendChoice made() {
        return Holder.MADE;
    }

    /**
     * The choice alone.
     *
     * @param setting null for none
     * @param driver finds NVIDIA's driver, or null; asked only where CUDA is wanted
     */
    static BackendChoice decide(@Nullable String setting, boolean cudaInBuild, Supplier<@Nullable CudaDriver> driver) {
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
        String problem = CudaDriver.problem(driver.get());
        return new BackendChoice(
                Backend.CUDA,
                problem == null
                        ? null
                        : "CUDA can't be used: " + problem + ", or run on the CPU with JAVA_OPTS=-D" + SETTING
                                + "=cpu");
    }
}
