package org.fedlora4j.benchmark.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.SafetensorsFile;
import org.fedlora4j.model.weights.SafetensorsWriter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Golden references of a toy model: as they are, and altered so that the difference must be found. */
class VerificationTest {
    private static final Tolerance TOLERANCE = Tolerance.of(Precision.F32);
    private static final Path TOY = Path.of(System.getProperty("fedlora.golden"), "toy", "gqa-tied-bf16");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temporary;

    @SuppressWarnings("NullAway.Init")
    private LanguageModel model;

    @BeforeEach
    void open() throws IOException {
        model = LanguageModel.open(TOY);
    }

    @AfterEach
    void close() throws IOException {
        model.close();
    }

    /** The tensors of a golden reference, to be altered and written again. */
    private static final class Altered {
        final Map<String, float[]> floats = new LinkedHashMap<>();
        final Map<String, long[]> longs = new LinkedHashMap<>();
        final Map<String, long[]> shapes = new LinkedHashMap<>();

        Altered(String reference) throws IOException {
            try (SafetensorsFile file = SafetensorsFile.open(TOY.resolve(reference))) {
                for (String name : file.tensors().keySet()) {
                    shapes.put(name, file.tensor(name).shape());
                    if (file.tensor(name).type() == ElementType.I64) {
                        longs.put(name, file.longs(name));
                    } else {
                        floats.put(name, file.floats(name));
                    }
                }
            }
        }

        Path write(Path path) throws IOException {
            SafetensorsWriter writer = new SafetensorsWriter();
            floats.forEach((name, values) -> writer.floats(name, shape(name), values));
            longs.forEach((name, values) -> {
                ByteBuffer bytes =
                        ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asLongBuffer().put(values);
                writer.tensor(name, ElementType.I64, shape(name), out -> out.write(bytes.array()));
            });
            writer.write(path);
            return path;
        }

        float[] values(String name) {
            return floats.computeIfAbsent(name, key -> {
                throw new AssertionError(key);
            });
        }

        long[] integers(String name) {
            return longs.computeIfAbsent(name, key -> {
                throw new AssertionError(key);
            });
        }

        private long[] shape(String name) {
            return shapes.computeIfAbsent(name, key -> new long[] {1});
        }
    }

    private List<Comparison> verify(String reference, boolean adapted, boolean padding, Consumer<Altered> change)
            throws IOException {
        Altered altered = new Altered(reference);
        change.accept(altered);
        Optional<AdapterState> adapter =
                adapted ? Optional.of(PeftAdapter.read(TOY.resolve("adapter"), model.config())) : Optional.empty();
        try (ReferenceFile file = new ReferenceFile(altered.write(temporary.resolve("altered.safetensors")))) {
            return Verification.run(model, adapter, file, padding);
        }
    }

    private static List<String> beyondTolerance(List<Comparison> comparisons) {
        return comparisons.stream()
                .filter(comparison -> !(comparison.ofTolerance(TOLERANCE) <= 1))
                .map(Comparison::name)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theModelIsItsReference(boolean padding) throws IOException {
        List<Comparison> comparisons = verify("reference.safetensors", false, padding, altered -> {});
        assertThat(comparisons)
                .extracting(Comparison::name)
                .containsExactlyInAnyOrder(
                        "hidden.0", "hidden.1", "hidden.2", "hidden.3", "hidden.final", "logits", "loss");
        assertThat(beyondTolerance(comparisons)).isEmpty();
        assertThat(comparisons.get(1).absolute()).as("computed, not copied").isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"adapter-reference.safetensors", "decomposed-reference.safetensors"})
    void everyGradientIsCompared(String reference) throws IOException {
        List<Comparison> comparisons = verify(reference, true, true, altered -> {});
        Altered original = new Altered(reference);
        assertThat(comparisons)
                .extracting(Comparison::name)
                .containsExactlyInAnyOrderElementsOf(original.floats.keySet());
        assertThat(comparisons).hasSizeGreaterThan(40);
        assertThat(beyondTolerance(comparisons)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"logits", "loss", "hidden.0", "hidden.2", "hidden.final"})
    void aDifferenceIsFoundWhereItIs(String name) throws IOException {
        List<Comparison> comparisons = verify("reference.safetensors", false, false, altered -> {
            float largest = 0;
            for (float value : altered.values(name)) {
                largest = Math.max(largest, Math.abs(value));
            }
            altered.values(name)[0] += 2e-3f * largest;
        });
        assertThat(beyondTolerance(comparisons)).containsExactly(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "grad.model.layers.1.mlp.up_proj.lora_A.direction",
                "grad.model.layers.0.self_attn.q_proj.lora_B.magnitude",
                "column.grad.model.layers.2.self_attn.v_proj.lora_A.magnitude",
                "column.logits",
                "column.loss"
            })
    void aDifferenceInOneFormOfTheAdapterIsFound(String name) throws IOException {
        List<Comparison> comparisons = verify("decomposed-reference.safetensors", true, false, altered -> {
            float[] values = altered.values(name);
            for (int i = 0; i < values.length; i++) {
                values[i] *= 1.01f;
            }
        });
        assertThat(beyondTolerance(comparisons)).containsExactly(name);
    }

    @Test
    void aMatrixOfAnotherSignIsFound() throws IOException {
        String name = "grad.base_model.model.model.layers.1.self_attn.k_proj.lora_B.weight";
        List<Comparison> comparisons =
                verify("adapter-reference.safetensors", true, false, altered -> altered.values(name)[3] *= -1);
        assertThat(beyondTolerance(comparisons)).containsExactly(name);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void whatIsNoNumberNeverPasses(float value) throws IOException {
        List<Comparison> comparisons =
                verify("reference.safetensors", false, false, altered -> altered.values("logits")[7] = value);
        assertThat(beyondTolerance(comparisons)).containsExactly("logits");
    }

    /** The golden rows have 17, 11 and fewer tokens of 17. */
    @Test
    void paddedPositionsAreComparedOnRequest() throws IOException {
        Consumer<Altered> lastLogit = altered -> {
            float[] logits = altered.values("logits");
            logits[logits.length - 1] += 10;
        };
        assertThat(beyondTolerance(verify("reference.safetensors", false, false, lastLogit)))
                .isEmpty();
        assertThat(beyondTolerance(verify("reference.safetensors", false, true, lastLogit)))
                .containsExactly("logits");
    }

    /** Attention that ignored the mask would differ there. */
    @Test
    void theMaskShowsAtPaddedPositions() throws IOException {
        Consumer<Altered> noPadding = altered -> {
            altered.floats.keySet().retainAll(List.of("logits"));
            Arrays.fill(altered.integers("attention_mask"), 1);
        };
        assertThat(beyondTolerance(verify("reference.safetensors", false, true, noPadding)))
                .containsExactly("logits");
    }

    /** A reference may be wider than its longest row. */
    @Test
    void columnsOfPaddingAloneAreCompared() throws IOException {
        List<Comparison> comparisons = verify("reference.safetensors", false, true, altered -> {
            altered.floats.keySet().retainAll(List.of("logits", "hidden.0"));
            long[] mask = altered.integers("attention_mask");
            int tokens = mask.length / 3;
            for (int row = 0; row < 3; row++) {
                mask[row * tokens + tokens - 1] = 0;
                altered.integers("input_ids")[row * tokens + tokens - 1] = 0;
                altered.integers("labels")[row * tokens + tokens - 1] = -100;
            }
        });
        assertThat(comparisons).extracting(Comparison::name).containsExactly("hidden.0", "logits");
        assertThat(comparisons.get(0).ofTolerance(TOLERANCE) <= 1).isFalse();
    }

    @Test
    void otherKnownKeysAreIgnored() throws IOException {
        List<Comparison> comparisons = verify("reference.safetensors", false, false, altered -> {
            altered.shapes.put("example_loss", new long[] {3});
            altered.floats.put("example_loss", new float[] {1, 2, 3});
        });
        assertThat(comparisons).extracting(Comparison::name).doesNotContain("example_loss");
        assertThat(beyondTolerance(comparisons)).isEmpty();
    }

    private void assertRefused(String reference, boolean adapted, Consumer<Altered> change, String... shouldName) {
        assertThatThrownBy(() -> verify(reference, adapted, false, change))
                .isInstanceOf(BadInputException.class)
                .message()
                .contains("altered.safetensors")
                .contains(shouldName)
                .doesNotContain("\n");
    }

    @Test
    void badReferencesAreRefused() {
        String plain = "reference.safetensors";
        assertRefused(plain, false, altered -> altered.floats.put("logit", new float[1]), "logit is unknown");
        assertRefused(plain, false, altered -> altered.floats.put("hidden.4", new float[1]), "hidden.4");
        assertRefused(plain, false, altered -> altered.floats.clear(), "nothing to compare");
        assertRefused(plain, false, altered -> altered.longs.remove("input_ids"), "input_ids is missing");
        assertRefused(plain, false, altered -> altered.longs.remove("attention_mask"), "attention_mask is missing");
        assertRefused(plain, false, altered -> altered.longs.remove("labels"), "labels", "no target");
        assertRefused(plain, false, altered -> altered.integers("input_ids")[2] = 113, "input_ids row 0", "113", "112");
        assertRefused(plain, false, altered -> altered.integers("input_ids")[2] = -1, "input_ids row 0", "-1");
        assertRefused(plain, false, altered -> altered.integers("labels")[3] = 1L << 40, "labels row 0");
        assertRefused(plain, false, altered -> altered.integers("attention_mask")[1] = 0, "attention_mask row 0");
        assertRefused(plain, false, altered -> altered.integers("attention_mask")[1] = 2, "attention_mask row 0");
        assertRefused(
                plain, false, altered -> altered.shapes.put("logits", new long[] {51, 113}), "logits", "[51, 113]");
        assertRefused(plain, false, altered -> altered.shapes.put("labels", new long[] {17, 3}), "labels", "[17, 3]");
        String adapted = "adapter-reference.safetensors";
        String gradient = "grad.base_model.model.model.layers.3.self_attn.k_proj.lora_B.weight";
        assertRefused(adapted, true, altered -> altered.floats.put(gradient, new float[1]), gradient);
        assertRefused(adapted, false, altered -> {}, "lora_A.weight");
    }

    @Test
    void aTargetInThePaddingIsRefused() {
        assertRefused(
                "reference.safetensors",
                false,
                altered -> altered.integers("labels")[altered.integers("labels").length - 1] = 5,
                "labels row 2");
    }
}
