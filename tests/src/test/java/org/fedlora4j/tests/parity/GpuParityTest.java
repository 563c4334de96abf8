package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.stream.Stream;
import org.fedlora4j.model.exec.Backend;
import org.fedlora4j.model.exec.Precision;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.factory.Nd4j;

/** {@link DeviceParity} on a GPU; it runs in the Maven profile {@code cuda} only, see docs/gpu.md. */
@Tag("gpu")
@ExtendWith(ParityReport.class)
class GpuParityTest {
    /** Else this would be a test of the CPU. */
    @BeforeAll
    static void thisIsAGpu() {
        assertThat(Backend.active()).isEqualTo(Backend.CUDA);
        assertThat(Nd4j.getBackend().getClass().getSimpleName()).isEqualTo("JCublasBackend");
    }

    static Stream<Arguments> casesAndPrecisions() {
        return DeviceParity.CASES.stream()
                .flatMap(name ->
                        Stream.of(Precision.F32, Precision.F16).map(precision -> Arguments.of(name, precision)));
    }

    @ParameterizedTest
    @MethodSource("casesAndPrecisions")
    void logitsLossAndText(String name, Precision precision) throws IOException {
        new DeviceParity("GPU", name, precision).logitsLossAndText();
    }

    @ParameterizedTest
    @MethodSource("casesAndPrecisions")
    void gradients(String name, Precision precision) throws IOException {
        new DeviceParity("GPU", name, precision).gradients();
    }

    @ParameterizedTest
    @MethodSource("casesAndPrecisions")
    void trainingStep(String name, Precision precision) throws IOException {
        new DeviceParity("GPU", name, precision).trainingStep();
    }
}
