package org.fedlora4j.benchmark.synthetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;
import org.fedlora4j.converter.SourceModel;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.ParameterNames;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SyntheticCheckpointTest {
    /** Small, with sizes that are no multiples of a chunk; 5 layers of some 7,000 parameters, untied, grouped heads. */
    private static final String CONFIG = """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
             "hidden_size": 24, "intermediate_size": 56, "num_hidden_layers": 5, "num_attention_heads": 6,
             "num_key_value_heads": 2, "rms_norm_eps": 1e-05, "rope_scaling": null, "tie_word_embeddings": false,
             "torch_dtype": "%s", "max_position_embeddings": 64, "vocab_size": 97}
            """;

    private static final long SHARD_BYTES = 40_000;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private static Blueprint tiny(ElementType type) {
        String name = type == ElementType.F16 ? "float16" : "bfloat16";
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("config.json", CONFIG.formatted(name).getBytes(StandardCharsets.UTF_8));
        files.put("tokenizer.json", new byte[] {'{', '}'});
        return new Blueprint("tiny", type, type == ElementType.F16, files);
    }

    private Path written(String name, Blueprint blueprint, CheckpointFormat format, long seed) throws IOException {
        Path target = folder.resolve(name);
        SyntheticCheckpoint.write(blueprint, format, seed, SHARD_BYTES, target, Progress.none());
        return target;
    }

    /** Every parameter's bytes, by name, as our own readers find them. */
    private static Map<String, ByteBuffer> tensors(Path checkpoint) throws IOException {
        Map<String, ByteBuffer> tensors = new TreeMap<>();
        try (SourceModel model = SourceModel.open(checkpoint)) {
            for (var parameter : ParameterNames.of(model.config()).toList()) {
                ElementType type = model.type(parameter.name());
                int bytes = (int) parameter.role().elements(model.config()) * type.bytes();
                ByteBuffer values = ByteBuffer.allocate(bytes);
                model.read(parameter.name(), 0, type, values);
                tensors.put(parameter.name(), values.flip());
            }
        }
        return tensors;
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void bothFormatsHaveTheSameTensors(ElementType type) throws IOException {
        Path torch = written("torch", tiny(type), CheckpointFormat.TORCH, 1);
        Path safetensors = written("safetensors", tiny(type), CheckpointFormat.SAFETENSORS, 1);
        // 7 matrices and 2 norms in each of 5 layers, embedding, norm and head
        assertThat(tensors(torch)).hasSize(5 * 9 + 3).isEqualTo(tensors(safetensors));
        assertThat(Files.exists(torch.resolve("pytorch_model-00001-of-00002.bin")))
                .isTrue();
        assertThat(Files.exists(safetensors.resolve("model-00002-of-00002.safetensors")))
                .isTrue();
        assertThat(Files.readString(torch.resolve("tokenizer.json"))).isEqualTo("{}");
        try (SourceModel model = SourceModel.open(torch)) {
            assertThat(model.type("lm_head.weight")).isEqualTo(type);
        }
    }

    @ParameterizedTest
    @EnumSource
    void itConvertsToTheSameWeights(CheckpointFormat format) throws IOException {
        Path source = written("source", tiny(ElementType.F16), format, 3);
        Path target = folder.resolve("converted");
        CheckpointConverter.convert(source, target, CheckpointConverter.Options.DEFAULT, Progress.none());
        assertThat(tensors(target)).isEqualTo(tensors(source));
    }

    @ParameterizedTest
    @EnumSource
    void filesAreAsLongAsPlanned(CheckpointFormat format) throws IOException {
        Path target = written("planned", tiny(ElementType.F16), format, 1);
        LlamaConfig config = LlamaConfig.read(target.resolve("config.json"));
        CheckpointPlan plan = new CheckpointPlan(tiny(ElementType.F16), config, format, 1, SHARD_BYTES);
        assertThat(plan.files()).hasSize(2);
        for (Map.Entry<String, Long> file : plan.files().entrySet()) {
            assertThat(Files.size(target.resolve(file.getKey()))).isEqualTo(file.getValue());
        }
    }

    @ParameterizedTest
    @EnumSource
    void theSameSeedGivesTheSameBytes(CheckpointFormat format) throws IOException {
        Path one = written("one", tiny(ElementType.BF16), format, 7);
        Path other = written("other", tiny(ElementType.BF16), format, 7);
        try (Stream<Path> files = Files.list(one)) {
            for (Path file : files.toList()) {
                assertThat(other.resolve(file.getFileName())).hasSameBinaryContentAs(file);
            }
        }
        Map<String, ByteBuffer> wanted = tensors(one);
        tensors(written("third", tiny(ElementType.BF16), format, 8))
                .forEach((name, values) -> assertThat(values).isNotEqualTo(wanted.get(name)));
    }

    @Test
    void fewerLayersAreTheFirstOfTheModel() throws IOException {
        Map<String, ByteBuffer> all = tensors(written("all", tiny(ElementType.F16), CheckpointFormat.TORCH, 1));
        Path two = written("two", tiny(ElementType.F16).withLayers(2), CheckpointFormat.TORCH, 1);
        Map<String, ByteBuffer> first = tensors(two);
        assertThat(first).hasSize(2 * 9 + 3);
        first.forEach((name, values) -> assertThat(values).isEqualTo(all.get(name)));
        assertThat(Files.exists(two.resolve("pytorch_model.bin"))).isTrue();
        assertThat(Files.exists(two.resolve("pytorch_model.bin.index.json"))).isFalse();
    }

    /**
     * Lengths of the files of meta-llama/Llama-2-7b-hf as directory listings of downloads on the web have them. So order of
     * tensors, shards, headers and pickle are right to the byte.
     */
    @Test
    void llama2HasTheSizesOfTheRealOne() throws IOException {
        Blueprint blueprint = known("llama2-7b");
        assertThat(blueprint.files().get("config.json")).hasSize(609);
        assertThat(blueprint.files().get("generation_config.json")).hasSize(188);
        CheckpointPlan torch = plan(blueprint, CheckpointFormat.TORCH);
        assertThat(torch.files())
                .containsExactly(
                        Map.entry("pytorch_model-00001-of-00002.bin", 9_976_634_558L),
                        Map.entry("pytorch_model-00002-of-00002.bin", 3_500_315_539L));
        assertThat(torch.indexFile()).isEqualTo("pytorch_model.bin.index.json");
        assertThat(torch.index()).hasSize(26_788).contains("\"total_size\": 13476839424");
        CheckpointPlan safetensors = plan(blueprint, CheckpointFormat.SAFETENSORS);
        assertThat(safetensors.files())
                .containsExactly(
                        Map.entry("model-00001-of-00002.safetensors", 9_976_578_928L),
                        Map.entry("model-00002-of-00002.safetensors", 3_500_297_344L));
        assertThat(safetensors.index()).hasSize(26_788);
    }

    /**
     * 6,910,365,696 parameters of 2 bytes. Below 10 GB are the embedding (838,860,800 bytes), 22 layers of 404,766,720, the
     * attention of the next (134,217,728) and its gate (90,177,536): 9,968,123,904. Up would be one too many.
     */
    @Test
    void deepSeekIsSplitBelowTenGigabytes() throws IOException {
        CheckpointPlan plan = plan(known("deepseek-llm-7b-base"), CheckpointFormat.SAFETENSORS);
        assertThat(plan.index())
                .contains("\"total_size\": 13820731392")
                .contains("\"model.layers.22.mlp.gate_proj.weight\": \"model-00001-of-00002.safetensors\"")
                .contains("\"model.layers.22.mlp.up_proj.weight\": \"model-00002-of-00002.safetensors\"");
        // The header has some 100 bytes for each of 205 tensors.
        assertThat(plan.files().getOrDefault("model-00001-of-00002.safetensors", 0L) - 9_968_123_904L)
                .isBetween(20_000L, 24_000L);
    }

    private Blueprint known(String model) throws IOException {
        for (String tokenizer : new String[] {"llama-2-7b", "deepseek-llm-7b"}) {
            Path place = Files.createDirectories(folder.resolve(tokenizer));
            Files.writeString(place.resolve("tokenizer.json"), "{}");
        }
        return Blueprint.of(model, folder);
    }

    private CheckpointPlan plan(Blueprint blueprint, CheckpointFormat format) throws IOException {
        byte[] json = blueprint.files().getOrDefault("config.json", new byte[0]);
        LlamaConfig config = LlamaConfig.read(Files.write(folder.resolve("config.json"), json));
        return new CheckpointPlan(blueprint, config, format, 1, CheckpointPlan.SHARD_BYTES);
    }

    @Test
    void aFolderWithAConfigurationIsAModelToo() throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        Files.writeString(model.resolve("config.json"), CONFIG.formatted("bfloat16"));
        Path target = folder.resolve("made-up");
        SyntheticCheckpoint.run(
                Progress.none(), model.toString(), target.toString(), "--format=safetensors", "--layers=3");
        try (Checkpoint checkpoint = Checkpoint.open(target)) {
            assertThat(checkpoint.config().layers()).isEqualTo(3);
        }
    }

    @Test
    void refusesWhatIsThereAlready() throws IOException {
        Blueprint blueprint = tiny(ElementType.F16);
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThatThrownBy(() -> written("file", blueprint, CheckpointFormat.TORCH, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessage(file + ": is a file; wanted a new folder, or an empty one");
        Path full = Files.createDirectory(folder.resolve("full"));
        Files.writeString(full.resolve("a"), "");
        assertThatThrownBy(() -> written("full", blueprint, CheckpointFormat.TORCH, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessage(full + ": is not empty; wanted a new folder, or an empty one");
        Files.createDirectory(folder.resolve("empty"));
        assertThat(tensors(written("empty", blueprint, CheckpointFormat.TORCH, 1)))
                .isNotEmpty();
    }

    @Test
    void refusesADiskWithTooLittleRoom() {
        Path target = Path.of("models/llama2-7b");
        assertThatThrownBy(() -> SyntheticCheckpoint.requireSpace(target, 13_476_950_097L, 2_000_000_000L))
                .isInstanceOf(BadInputException.class)
                .hasMessage("models/llama2-7b: 2.0 GB are free on its disk; wanted 13 GB");
        SyntheticCheckpoint.requireSpace(target, 5, 5);
    }

    @Test
    void namesWhatItKnows() {
        assertThatThrownBy(() -> Blueprint.of("llama3", folder))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "llama3: no such model; wanted llama2-7b, deepseek-llm-7b-base, or a folder with a config.json");
        assertThatThrownBy(() -> Blueprint.of("llama2-7b", folder))
                .isInstanceOf(BadInputException.class)
                .hasMessage(folder.resolve("llama-2-7b") + ": no such folder; wanted the tokenizer of llama2-7b");
    }

    @Test
    void refusesWeightsOfFourBytes() throws IOException {
        Files.writeString(folder.resolve("config.json"), CONFIG.formatted("float32"));
        assertThatThrownBy(() -> Blueprint.of(folder.toString(), folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("torch_dtype")
                .hasMessageContaining("wanted float16 or bfloat16");
    }
}
