package org.fedlora4j.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter.Options;
import org.fedlora4j.converter.gguf.GgufFile;
import org.fedlora4j.converter.gguf.GgufType;
import org.fedlora4j.converter.gguf.TinyGguf;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.WeightSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufModelTest {
    @TempDir
    Path temporary;

    private static Path golden(String name) {
        Path path = Path.of(System.getProperty("fedlora.golden"), name);
        assertThat(path).exists();
        return path;
    }

    /** The reference is the gguf library's: F32, F16, Q8_0, Q4_0 and Q4_1, rows of q and k put back. */
    @ParameterizedTest
    @ValueSource(strings = {"mqa-f16", "new-style-config"})
    void givesEveryWeightBitForBit(String name) throws IOException {
        Path folder = golden("gguf/" + name);
        try (Checkpoint wanted = Checkpoint.open(folder);
                SourceModel model = SourceModel.open(folder.resolve("model.gguf"))) {
            assertThat(model.config()).isEqualTo(wanted.config());
            for (Parameter parameter : ParameterNames.of(wanted.config()).toList()) {
                String weight = parameter.name();
                byte[] found = read(model, weight, 0, wanted.floats(weight).length, ElementType.F32);
                assertThat(found).as(weight).isEqualTo(read(wanted, weight, 0, found.length / 4, ElementType.F32));
            }
        }
    }

    /** Pieces may begin and end within rows. */
    @Test
    void readsPiecesOfAnySizeInAnyType() throws IOException {
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        try (SourceModel model = SourceModel.open(golden("gguf/mqa-f16/model.gguf"))) {
            for (Parameter parameter : ParameterNames.of(model.config()).toList()) {
                String weight = parameter.name();
                int elements = (int) parameter.role().elements(model.config());
                for (ElementType type : List.of(ElementType.F32, ElementType.F16, ElementType.BF16)) {
                    byte[] whole = read(model, weight, 0, elements, type);
                    float[] values = new float[elements];
                    Elements.decode(
                            ByteBuffer.wrap(read(model, weight, 0, elements, ElementType.F32)),
                            ElementType.F32,
                            values);
                    ByteBuffer rounded = ByteBuffer.allocate(whole.length);
                    Elements.encode(values, type, rounded);
                    assertThat(whole).isEqualTo(rounded.array());
                    int begin = 32 * random.nextInt(elements / 32);
                    int count = 32 * (1 + random.nextInt((elements - begin) / 32));
                    assertThat(read(model, weight, begin, count, type))
                            .as("%s %d %d", weight, begin, count)
                            .isEqualTo(Arrays.copyOfRange(whole, begin * type.bytes(), (begin + count) * type.bytes()));
                }
            }
        }
    }

    @Test
    void writesTheSpecialTokensAndTheTypeIntoTheConfiguration() throws IOException {
        Path target = temporary.resolve("converted");
        CheckpointConverter.convert(
                golden("gguf/new-style-config/model.gguf"), target, Options.DEFAULT, Progress.none());
        ObjectNode config = (ObjectNode)
                new ObjectMapper().readTree(target.resolve("config.json").toFile());
        assertThat(config.get("bos_token_id").intValue()).isEqualTo(1);
        assertThat(config.get("eos_token_id").intValue()).isEqualTo(2);
        assertThat(config.has("pad_token_id")).isFalse();
        assertThat(config.get("rms_norm_eps").asText()).isEqualTo("1.0E-6");
        assertThat(config.get("torch_dtype").textValue()).isEqualTo("float32");
        assertThat(LlamaConfig.read(target.resolve("config.json")))
                .isEqualTo(LlamaConfig.read(golden("gguf/new-style-config/config.json")));
    }

    private SourceModel open(TinyGguf file) throws IOException {
        return SourceModel.open(file.write(temporary.resolve("tiny.gguf")));
    }

    @Test
    void defaultsAreThoseOfLlamaCpp() throws IOException {
        TinyGguf file = new TinyGguf();
        file.keys.remove("llama.vocab_size");
        file.keys.remove("llama.attention.head_count_kv");
        file.keys.put("tokenizer.ggml.tokens", List.of("a", "b", "c"));
        file.add("blk.0.attn_k.weight", GgufType.F32, 32, 32);
        file.add("blk.0.attn_v.weight", GgufType.F32, 32, 32);
        try (SourceModel model = open(file)) {
            assertThat(model.config())
                    .isEqualTo(new LlamaConfig(3, 32, 64, 1, 2, 2, 16, 1e-5, 10_000, new RopeScaling.None(), true, 64));
        }
    }

    @Test
    void readsLinearScaling() throws IOException {
        TinyGguf file = new TinyGguf();
        file.keys.put("llama.rope.scaling.type", "linear");
        file.keys.put("llama.rope.scaling.factor", 4.1);
        file.keys.put("llama.rope.freq_base", 1e6);
        try (SourceModel model = open(file)) {
            assertThat(model.config().ropeScaling()).isEqualTo(new RopeScaling.Linear(4.1));
            assertThat(model.config().ropeTheta()).isEqualTo(1e6);
        }
    }

    @Test
    void readsTheScalingOfLlama31() throws IOException {
        RopeScaling.Llama3 scaling = new RopeScaling.Llama3(32, 1, 4, 8192);
        TinyGguf file = new TinyGguf();
        file.keys.put("llama.rope.freq_base", 5e5);
        file.addFloats("rope_freqs.weight", GgufConfig.factors(scaling, 16, 5e5));
        try (SourceModel model = open(file)) {
            assertThat(model.config().ropeScaling()).isEqualTo(scaling);
        }
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                refused(file -> file.keys.put("general.architecture", "qwen2"), "general.architecture is qwen2"),
                refused(file -> file.keys.remove("general.architecture"), "general.architecture is missing"),
                refused(file -> file.keys.remove("llama.block_count"), "llama.block_count is missing"),
                refused(
                        file -> file.keys.put("llama.block_count", 2),
                        "model.layers.1.input_layernorm.weight is missing"),
                refused(file -> file.keys.put("llama.block_count", -1), "llama.block_count is 4294967295"),
                refused(file -> file.keys.put("llama.block_count", 0), "num_hidden_layers is 0"),
                refused(
                        file -> file.keys.put("llama.embedding_length", "32"),
                        "llama.embedding_length is 32; wanted an"),
                refused(
                        file -> file.keys.put("llama.attention.layer_norm_rms_epsilon", Double.NaN),
                        "layer_norm_rms_epsilon is NaN"),
                refused(file -> file.keys.put("llama.attention.head_count", 0), "num_attention_heads is 0"),
                refused(
                        file -> file.keys.put("llama.attention.head_count", new int[] {2}),
                        "llama.attention.head_count is an array"),
                refused(file -> file.keys.put("llama.attention.value_length", 8), "value_length is 8; wanted 16"),
                refused(file -> file.keys.put("llama.rope.dimension_count", 8), "dimension_count is 8; wanted 16"),
                refused(file -> file.keys.put("llama.rope.scaling.type", "yarn"), "llama.rope.scaling.type is yarn"),
                refused(file -> file.keys.put("split.count", 2), "split.count is 2"),
                refused(
                        file -> file.keys.put("llama.vocab_size", 4),
                        "token_embd.weight: model.embed_tokens.weight has"),
                refused(
                        file -> file.addFloats("blk.0.attn_q.bias", new float[32]),
                        "blk.0.attn_q.bias: no LLaMA model has"),
                refused(file -> file.add("blk.1.ffn_up.weight", GgufType.F32, 64, 32), "num_hidden_layers 1"),
                refused(
                        file -> file.addFloats("rope_freqs.weight", 1, 1, 1, 2, 2, 2, 2, 9),
                        "rope_freqs.weight holds factors"),
                refused(file -> file.addFloats("rope_freqs.weight", 8), "rope_freqs.weight holds factors"),
                refused(
                        file -> file.addFloats("rope_freqs.weight", new float[] {1, 1, 1, 1, 1, 1, 1, Float.NaN}),
                        "factor is NaN"),
                refused(
                        file -> file.add("rope_freqs.weight", GgufType.F16, 8),
                        "rope_freqs.weight is F16 [8]; wanted F32"));
    }

    private static Arguments refused(Consumer<TinyGguf> change, String message) {
        return Arguments.of(message, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void refusesWhatIsNoLlama(String message, Consumer<TinyGguf> change) throws IOException {
        TinyGguf file = new TinyGguf();
        open(file).close();
        change.accept(file);
        assertThatThrownBy(() -> open(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("tiny.gguf: ")
                .hasMessageContaining(message);
    }

    @Test
    void aFolderHasOneFileAndNoOther() throws IOException {
        new TinyGguf().write(temporary.resolve("a.gguf"));
        SourceModel.open(temporary).close();
        new TinyGguf().write(temporary.resolve("b.gguf"));
        assertThatThrownBy(() -> SourceModel.open(temporary))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("a.gguf, b.gguf");
    }

    @Test
    void aFileIsKnownByItsFirstBytes() throws IOException {
        SourceModel.open(new TinyGguf().write(temporary.resolve("model"))).close();
    }

    @Test
    void everyPrefixOfAFileIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(new TinyGguf().write(temporary.resolve("whole.gguf")));
        Path file = temporary.resolve("cut.gguf");
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> SourceModel.open(file))
                    .as("%d bytes", length)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("cut.gguf: ");
        }
    }

    /** A file with flipped bits converts, or is refused in one line. */
    @Test
    void flippedBytesDoNoHarm() throws IOException {
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        TinyGguf tiny = new TinyGguf();
        tiny.keys.put("tokenizer.ggml.model", "llama");
        tiny.keys.put("tokenizer.ggml.tokens", List.of("<unk>", "a", "b"));
        tiny.keys.put("tokenizer.ggml.scores", new float[] {0, -1, -2});
        tiny.keys.put("tokenizer.ggml.token_type", new int[] {2, 1, 1});
        byte[] whole = Files.readAllBytes(tiny.write(temporary.resolve("whole.gguf")));
        Path file = temporary.resolve("flipped.gguf");
        int header;
        try (GgufFile sound = GgufFile.open(temporary.resolve("whole.gguf"))) {
            header = (int) sound.tensors().values().iterator().next().begin();
        }
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = whole.clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                bytes[random.nextInt(header)] ^= (byte) (1 << random.nextInt(8));
            }
            Files.write(file, bytes);
            try (SourceModel model = SourceModel.open(file)) {
                Path folder = Files.createDirectories(temporary.resolve("folder"));
                model.configJson();
                model.writeCompanions(folder);
                for (Parameter parameter : ParameterNames.of(model.config()).toList()) {
                    read(model, parameter.name(), 0, (int) parameter.role().elements(model.config()), ElementType.F32);
                }
            } catch (BadInputException e) {
                assertThat(e.getMessage()).doesNotContain("\n");
            }
        }
    }

    private static byte[] read(WeightSource source, String weight, long begin, int elements, ElementType type)
            throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(elements * type.bytes());
        source.read(weight, begin, type, bytes);
        assertThat(bytes.hasRemaining()).isFalse();
        return bytes.array();
    }
}
