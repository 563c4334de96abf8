package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.SafetensorsFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The closed-form gradients of magnitudes and directions, from PyTorch's gradients of A and B, against PyTorch's own
 * gradients of the parts.
 */
class DecompositionGoldenTest {
    private static final Path TOY = Path.of(System.getProperty("fedlora.golden"), "toy");

    /** Of the tensor's largest value, as golden/README.md recommends. */
    private static final float TOLERANCE = 4e-4f;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mha-untied-f32",
                "gqa-tied-bf16",
                "mqa-f16",
                "head-dim-f32",
                "theta-1e6-bf16",
                "rope-linear-bf16",
                "rope-llama3-bf16",
                "new-style-config"
            })
    void gradientsMatch(String name) throws IOException {
        Path toy = TOY.resolve(name);
        AdapterState adapter = PeftAdapter.read(toy.resolve("adapter"), LlamaConfig.read(toy.resolve("config.json")));
        try (SafetensorsFile whole = SafetensorsFile.open(toy.resolve("adapter-reference.safetensors"));
                SafetensorsFile parts = SafetensorsFile.open(toy.resolve("decomposed-reference.safetensors"))) {
            for (MagnitudeAxis axis : MagnitudeAxis.values()) {
                String prefix = axis == MagnitudeAxis.ROW ? "grad." : "column.grad.";
                for (String module : adapter.modules().keySet()) {
                    compare(
                            whole,
                            parts,
                            prefix,
                            module + ".lora_A",
                            adapter.pair(module).a(),
                            axis);
                    compare(
                            whole,
                            parts,
                            prefix,
                            module + ".lora_B",
                            adapter.pair(module).b(),
                            axis);
                }
            }
        }
    }

    private static void compare(
            SafetensorsFile whole, SafetensorsFile parts, String prefix, String name, Matrix matrix, MagnitudeAxis axis)
            throws IOException {
        Matrix gradient =
                Matrix.of(matrix.rows(), matrix.columns(), whole.floats("grad.base_model.model." + name + ".weight"));
        Decomposition.MagnitudeAndDirection split = Decomposition.decompose(matrix, axis);
        assertClose(
                Decomposition.directionGradient(gradient, split.magnitude(), split.direction(), axis),
                parts.floats(prefix + name + ".direction"));
        assertClose(
                Decomposition.magnitudeGradient(gradient, split.direction(), axis),
                parts.floats(prefix + name + ".magnitude"));
    }

    private static void assertClose(Matrix found, float[] wanted) {
        float largest = 0;
        for (float value : wanted) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertThat(largest).isPositive();
        assertThat(found.values()).containsExactly(wanted, within(TOLERANCE * largest));
    }
}
