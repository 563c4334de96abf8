package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.cpu.nativecpu.CpuBackend;
import org.nd4j.linalg.factory.Nd4j;

class BackendChoiceTest {
    private static final CudaDriver.Gpu A100 = gpu("NVIDIA A100-SXM4-40GB", 8, 0);
    private static final CudaDriver.Gpu H100 = gpu("NVIDIA H100 80GB HBM3", 9, 0);
    private static final String OR_THE_CPU = ", or run on the CPU with JAVA_OPTS=-Dfedlora.backend=cpu";

    @Test
    void aBuildForGpusUsesThem() {
        assertThat(CudaDriver.problem(new CudaDriver(11_060, 0, List.of(A100)))).isNull();
        assertThat(BackendChoice.decide(null, true, () -> null)).isEqualTo(new BackendChoice(Backend.CUDA, null));
        assertThat(BackendChoice.decide("cuda", true, () -> null)).isEqualTo(new BackendChoice(Backend.CUDA, null));
    }

    @Test
    void elsewhereNobodyAsksForADriver() {
        assertThat(BackendChoice.decide(null, false, BackendChoiceTest::notAsked))
                .isEqualTo(new BackendChoice(Backend.CPU, null));
        assertThat(BackendChoice.decide("cpu", true, BackendChoiceTest::notAsked))
                .isEqualTo(new BackendChoice(Backend.CPU, null));
    }

    private static @Nullable String notAsked() {
        throw new AssertionError("CUDA was asked for");
    }

    @Test
    void whatThisBuildIsWithoutIsRefused() {
        assertThat(BackendChoice.decide("cuda", false, () -> null).problem())
                .isEqualTo(
                        "fedlora.backend: found cuda, which this build is without; wanted cpu, or a build with mvn -P "
                                + "cuda (docs/gpu.md)");
        assertThat(BackendChoice.decide("gpu", true, () -> null).problem())
                .isEqualTo("fedlora.backend: found gpu, wanted cpu or cuda");
    }

    @Test
    void withoutADriver() {
        assertThat(problem(null))
                .isEqualTo(
                        "CUDA can't be used: there is no NVIDIA driver (libcuda.so.1 can't be loaded): install driver "
                                + "450.80.02 or newer (CUDA 11)" + OR_THE_CPU);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 100})
    void withADriverButNoDevice(int status) {
        assertThat(problem(new CudaDriver(12_040, status, List.of())))
                .isEqualTo("CUDA can't be used: the NVIDIA driver finds no GPU: see that nvidia-smi lists one and "
                        + "CUDA_VISIBLE_DEVICES doesn't hide it" + OR_THE_CPU);
    }

    @Test
    void withADriverThatFailsOrIsTooOld() {
        assertThat(problem(new CudaDriver(12_040, 803, List.of())))
                .isEqualTo("CUDA can't be used: the NVIDIA driver fails with error 803: see that nvidia-smi works"
                        + OR_THE_CPU);
        assertThat(problem(new CudaDriver(10_020, 0, List.of(A100))))
                .isEqualTo("CUDA can't be used: the NVIDIA driver is for CUDA 10.2: install driver 450.80.02 or newer "
                        + "(CUDA 11)" + OR_THE_CPU);
        assertThat(problem(new CudaDriver(11_000, 0, List.of(A100)))).isNull();
    }

    /** A library that is missing or broken is found before ND4J prints a stack trace. */
    @Test
    void whatNd4jItselfFindsWrong() {
        assertThat(BackendChoice.problemOfNd4j(Backend.CPU.implementation())).isNull();
        assertThat(BackendChoice.problemOfNd4j(Broken.class.getName()))
                .isEqualTo(
                        "ND4J's own check fails (java.lang.UnsatisfiedLinkError: no libcublas.so.11): see docs/gpu.md");
        assertThat(BackendChoice.problemOfNd4j("no.such.Backend")).contains("ClassNotFoundException");
    }

    /** A backend whose libraries don't load. */
    public static final class Broken extends CpuBackend {
        @Override
        public boolean canRun() {
            throw new UnsatisfiedLinkError("no libcublas.so.11");
        }
    }

    @Test
    void onAGpuWithoutKernels() {
        String found =
                "CUDA can't be used: GPU 0 (NVIDIA H100 80GB HBM3) has compute capability 9.0, and nd4j-cuda-11.6 "
                        + "has kernels for 3.7 and 5.0 to 8.9 only: ";
        assertThat(problem(new CudaDriver(12_040, 0, List.of(H100))))
                .isEqualTo(found + "use such a GPU, up to Ampere or Ada" + OR_THE_CPU);
        assertThat(problem(new CudaDriver(12_040, 0, List.of(H100, A100))))
                .isEqualTo(
                        found + "set CUDA_VISIBLE_DEVICES so that only such GPUs are seen, as NVIDIA A100-SXM4-40GB is"
                                + OR_THE_CPU);
        assertThat(problem(new CudaDriver(12_040, 0, List.of(A100, H100)))).contains("GPU 1 (NVIDIA H100");
    }

    /** From the binary: sm_37, 50, 52, 60, 61, 70, 75, 80, 86, which run on the same major version from their minor on. */
    @ParameterizedTest
    @CsvSource({
        "3, 5, false",
        "3, 7, true",
        "5, 0, true",
        "5, 3, true",
        "6, 1, true",
        "6, 2, true",
        "7, 0, true",
        "7, 2, true",
        "7, 5, true",
        "8, 0, true",
        "8, 6, true",
        "8, 9, true",
        "9, 0, false",
        "10, 0, false",
        "12, 0, false"
    })
    void kernelsByComputeCapability(int major, int minor, boolean has) {
        assertThat(gpu("", major, minor).hasKernels()).isEqualTo(has);
    }

    /** This machine's driver, where it has one; where not, that is what is said. */
    @Test
    void thisMachinesDriverIsAsked() {
        CudaDriver driver = CudaDriver.detect();
        if (driver == null) {
            assertThat(problem(null)).contains("no NVIDIA driver");
        } else {
            assertThat(driver.version()).isGreaterThan(1_000);
        }
    }

    @Test
    void onAnotherBackendArraysHaveNoAddress() {
        assertThat(Backend.active().sharesMemory()).isTrue();
        try (Backend.Pretence pretence = Backend.pretend(Backend.CUDA);
                NativeMemory memory = new NativeMemory()) {
            var array = memory.floats(2, 3);
            assertThatThrownBy(() -> NativeArrays.address(array))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("arrays of the backend CUDA have no address");
            assertThatThrownBy(() -> NativeArrays.bytes(array)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> NativeArrays.numbers(array)).isInstanceOf(IllegalStateException.class);
            assertThat(Kernel.available()).isFalse();
            assertThat(ProductLibrary.load().failure()).contains("GPU");
            assertThat(NativeThreads.get()).isEqualTo(1);
        }
        assertThat(Backend.active().sharesMemory()).isTrue();
    }

    /** Reads and writes at every offset, of arrays that are cut from a block; beside the same with addresses. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void arraysAreReadAndWrittenOnEveryBackend(boolean device) {
        try (Backend.Pretence pretence = Backend.pretend(device ? Backend.CUDA : Backend.CPU);
                Arena arena = Arena.of(1_024)) {
            arena.array(0, DataType.FLOAT, 256).assign(Float.NaN);
            var first = arena.array(64, DataType.FLOAT, 2, 3);
            var second = arena.array(128, DataType.FLOAT, 3, 4);
            var ids = arena.array(512, DataType.INT32, 3);

            NativeArrays.write(new float[] {1, 2, 3, 4, 5, 6}, first);
            NativeArrays.write(new float[12], second);
            NativeArrays.writeAt(new float[] {7, 8}, second, 9);
            NativeArrays.copy(first, 1, second, 4, 4);
            NativeArrays.write(new int[] {5, 6, 7}, ids);

            float[] row = new float[4];
            NativeArrays.readRow(second, 1, row);
            assertThat(row).containsExactly(2, 3, 4, 5);
            float[] all = new float[12];
            NativeArrays.read(second, all);
            assertThat(all).containsExactly(0, 0, 0, 0, 2, 3, 4, 5, 0, 7, 8, 0);
            assertThat(second.reshape('c', 4, 3).getRow(3).toFloatVector()).containsExactly(7, 8, 0);
            assertThat(ids.toIntVector()).containsExactly(5, 6, 7);
            // What lies before, between and behind them is as it was.
            float[] block = arena.array(0, DataType.FLOAT, 48).toFloatVector();
            assertThat(block[15]).isNaN();
            assertThat(block[16]).isEqualTo(1);
            assertThat(block[22]).isNaN();
            assertThat(block[44]).isNaN();
            assertThatThrownBy(() -> arena.array(1_000, DataType.FLOAT, 7))
                    .hasMessageContaining("outside the arena's 1024");
        }
    }

    @Test
    void nd4jFindsTheShownBackendOnly() throws Exception {
        ClassLoader parent = OneBackend.class.getClassLoader();
        String service = "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend";
        assertThat(new OneBackend(parent, Backend.CPU).getResources(service).hasMoreElements())
                .isTrue();
        assertThat(new OneBackend(parent, Backend.CUDA).getResources(service).hasMoreElements())
                .isEqualTo(Backend.CUDA.isInBuild());
        assertThat(new OneBackend(parent, Backend.CUDA).loadClass(Nd4j.class.getName()))
                .isSameAs(Nd4j.class);
    }

    private static @Nullable String problem(@Nullable CudaDriver driver) {
        return BackendChoice.decide(null, true, () -> CudaDriver.problem(driver))
                .problem();
    }

    private static CudaDriver.Gpu gpu(String name, int major, int minor) {
        return new CudaDriver.Gpu(name, major, minor, 40L << 30);
    }
}
