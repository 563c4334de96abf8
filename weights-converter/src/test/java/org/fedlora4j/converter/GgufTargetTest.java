package org.fedlora4j.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter.Options;
import org.fedlora4j.converter.CheckpointConverter.Summary;
import org.fedlora4j.converter.gguf.GgufFile;
import org.fedlora4j.converter.gguf.GgufType;
import org.fedlora4j.converter.gguf.Quantisation;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.WeightSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufTargetTest {
    @TempDir
    Path temporary;

    private static Path golden(String name) {
        Path path = Path.of(System.getProperty("fedlora.golden"), name);
        assertThat(path).exists();
        return path;
    }

    private Path export(Path source, WeightType type, int jobs) throws IOException {
        Path target = temporary.resolve(jobs + "/" + type + ".gguf");
        CheckpointConverter.convert(source, target, new Options(Optional.of(type), jobs), Progress.none());
        return target;
    }

    /** Read back, every value is the source's, rounded to the type; norms are exact. */
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
    void keepsConfigurationAndValues(String name) throws IOException {
        Path source = golden("toy/" + name);
        for (WeightType type : WeightType.values()) {
            Path target = export(source, type, 2);
            try (SourceModel before = SourceModel.open(source);
                    SourceModel after = SourceModel.open(target);
                    GgufFile file = GgufFile.open(target)) {
                assertSameModel(after.config(), before.config());
                for (Parameter parameter : ParameterNames.of(before.config()).toList()) {
                    float[] values = floats(before, parameter);
                    assertThat(floats(after, parameter))
                            .as("%s %s", parameter.name(), type)
                            .isEqualTo(stored(file, parameter, values));
                }
            }
        }
    }

    /** Of llama3 scaling the original length may be another that gives the same frequencies. */
    private static void assertSameModel(LlamaConfig found, LlamaConfig wanted) {
        assertThat(found.inverseFrequencies()).isEqualTo(wanted.inverseFrequencies());
        assertThat(found)
                .usingRecursiveComparison()
                .ignoringFields("ropeScaling.originalMaxPositions")
                .isEqualTo(wanted);
    }

    private static float[] stored(GgufFile file, Parameter parameter, float[] values) {
        GgufType type = Objects.requireNonNull(file.tensors().get(GgufNames.name(parameter)))
                .type();
        if (type == GgufType.Q8_0) {
            return naiveQ8(values);
        }
        ByteBuffer rounded = ByteBuffer.allocate(values.length * type.exact().bytes());
        Elements.encode(values, type.exact(), rounded);
        float[] back = new float[values.length];
        Elements.decode(rounded.flip(), type.exact(), back);
        return back;
    }

    /** Blocks of 32: the largest becomes 127 or -127. */
    private static float[] naiveQ8(float[] values) {
        float[] back = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            float largest = 0;
            for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++) {
                largest = Math.max(largest, Math.abs(values[j]));
            }
            float scale = largest / 127f;
            float quotient = scale == 0 ? 0 : values[i] * (1f / scale);
            long nearest = Math.round((double) Math.abs(quotient));
            back[i] = Elements.fromF16(Elements.toF16(scale)) * (quotient < 0 ? -nearest : nearest);
        }
        return back;
    }

    @Test
    void typesAreThoseOfLlamaCpp() throws IOException {
        // Rows of 64 hold whole blocks, rows of 40 don't.
        assertThat(types("toy/mqa-f16", WeightType.Q8_0)).isEqualTo("F32, Q8_0");
        assertThat(types("toy/head-dim-f32", WeightType.Q8_0)).contains("F16");
        assertThat(types("toy/mqa-f16", WeightType.BF16)).isEqualTo("BF16, F32");
        assertThat(types("toy/mqa-f16", WeightType.F32)).isEqualTo("F32");
    }

    private String types(String source, WeightType type) throws IOException {
        Path target = temporary.resolve(source.replace('/', '-') + type + ".gguf");
        Summary summary =
                CheckpointConverter.convert(golden(source), target, new Options(Optional.of(type), 1), Progress.none());
        assertThat(summary.bytes()).isEqualTo(Files.size(target));
        return summary.type();
    }

    @Test
    void withoutATypeWeightsAreF16() throws IOException {
        Path target = temporary.resolve("my-model.gguf");
        Summary summary = CheckpointConverter.convert(golden("toy/mqa-f16"), target, Options.DEFAULT, Progress.none());
        assertThat(summary.type()).isEqualTo("F16, F32");
        try (GgufFile file = GgufFile.open(target)) {
            assertThat(file.metadata().text("general.name")).contains("my-model");
            assertThat(file.metadata().text("general.architecture")).contains("llama");
            assertThat(file.metadata().requireInteger("general.file_type")).isEqualTo(1);
            assertThat(file.metadata().requireInteger("general.quantization_version"))
                    .isEqualTo(2);
            assertThat(file.metadata().text("tokenizer.ggml.model")).contains("none");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "Q8_0"})
    void threadsDontMatter(WeightType type) throws IOException {
        Path source = golden("gguf/new-style-config/model.gguf");
        assertThat(export(source, type, 1)).hasSameBinaryContentAs(export(source, type, 3));
    }

    /** llama.cpp's reference quantiser and its inverse agree on what is quantised already. */
    @Test
    void quantisingTwiceChangesNothing() {
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        float[] values = new float[1 << 16];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(6) - 4));
        }
        byte[] once = quantise(values);
        float[] back = new float[values.length];
        Quantisation.decode(ByteBuffer.wrap(once), GgufType.Q8_0, back);
        assertThat(quantise(back)).isEqualTo(once);
        assertThat(back).isEqualTo(naiveQ8(values));
    }

    private static byte[] quantise(float[] values) {
        byte[] bytes = new byte[(int) GgufType.Q8_0.bytes(values.length)];
        Quantisation.encode(values, GgufType.Q8_0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    @Test
    void halvesAreRoundedAwayFromZero() {
        float[] values = new float[32];
        values[0] = 127;
        values[1] = 2.5f;
        values[2] = -2.5f;
        values[3] = 0.49999997f;
        byte[] bytes = quantise(values);
        assertThat(bytes).startsWith(0x00, 0x3c, 127, 3, -3, 0);
    }

    @Test
    void q8HoldsFiniteNumbersOnly() {
        float[] values = new float[32];
        values[7] = Float.NaN;
        assertThatThrownBy(() -> quantise(values))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("holds NaN, which Q8_0 can't");
        values[7] = 1e8f;
        assertThatThrownBy(() -> quantise(values)).isInstanceOf(BadInputException.class);
    }

    @Test
    void aFolderHasNoQ8() {
        assertThatThrownBy(() -> CheckpointConverter.convert(
                        golden("toy/mqa-f16"),
                        temporary.resolve("folder"),
                        new Options(Optional.of(WeightType.Q8_0), 1),
                        Progress.none()))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("folder: Q8_0 is a type of GGUF's");
        assertThat(temporary).isEmptyDirectory();
    }

    @Test
    void aTokenizerThatGgufCannotSayLeavesNothing() throws IOException {
        Path source = Files.createDirectory(temporary.resolve("source"));
        for (String file : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(golden("bad/ok").resolve(file), source.resolve(file));
        }
        Files.writeString(source.resolve("tokenizer.json"), "{\"model\": {\"type\": \"Unigram\"}}");
        assertThatThrownBy(() -> export(source, WeightType.F16, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("tokenizer.json: model.type is \"Unigram\"");
        assertThat(temporary.resolve("1/F16.gguf")).doesNotExist();
    }

    private static float[] floats(WeightSource source, Parameter parameter) throws IOException {
        float[] values = new float[(int) parameter.role().elements(source.config())];
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        source.read(parameter.name(), 0, ElementType.F32, bytes);
        bytes.flip().asFloatBuffer().get(values);
        return values;
    }
}
