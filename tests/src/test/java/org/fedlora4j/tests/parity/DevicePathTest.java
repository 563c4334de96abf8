package org.fedlora4j.tests.parity;

import java.io.IOException;
import org.fedlora4j.model.exec.Backend;
import org.fedlora4j.model.exec.Precision;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link DeviceParity} on ND4J's CPU, but in all else the way of GPUs, so that what runs there is tested everywhere. */
@ExtendWith(ParityReport.class)
class DevicePathTest {
    @ParameterizedTest
    @CsvSource({
        "mha-untied-f32, F32",
        "gqa-tied-bf16, F32",
        "head-dim-f32, F32",
        "rope-llama3-bf16, F32",
        "new-style-config, F32",
        "mha-untied-f32, F16",
        "gqa-tied-bf16, F16",
        "head-dim-f32, F16",
        "rope-llama3-bf16, F16",
        "new-style-config, F16"
    })
    void asOnAGpu(String name, Precision precision) throws IOException {
        try (Backend.Pretence pretence = Backend.pretend(Backend.CUDA)) {
            DeviceParity parity = new DeviceParity("a GPU's way", name, precision);
            parity.logitsLossAndText();
            parity.gradients();
            parity.trainingStep();
        }
    }
}
