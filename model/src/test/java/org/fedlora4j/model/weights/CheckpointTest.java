package org.fedlora4j.model.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class CheckpointTest {
    @TempDir
    Path temporary;

    @ParameterizedTest
    @ValueSource(strings = {"mha-untied-f32", "gqa-tied-bf16", "head-dim-f32", "rope-llama3-bf16", "new-style-config"})
    void mappedWeightsAreTheFilesValues(String name) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(Golden.path("toy/" + name))) {
            List<Parameter> parameters = ParameterNames.of(checkpoint.config()).toList();
            assertThat(parameters).hasSizeGreaterThan(9 * 2);
            for (Parameter parameter : parameters) {
                INDArray weight = checkpoint.weight(parameter.name());
                TensorInfo info = checkpoint.info(parameter.name());
                assertThat(weight.shape()).isEqualTo(parameter.role().shape(checkpoint.config()));
                assertThat(weight.dataType())
                        .isEqualTo(info.type() == ElementType.F32 ? DataType.FLOAT : DataType.BFLOAT16);
                assertThat(weight.castTo(DataType.FLOAT).data().asFloat())
                        .isEqualTo(checkpoint.floats(parameter.name()));
            }
        }
    }

    /** A mapping that goes too early ends the process. */
    @Test
    void arraysOutliveTheirCheckpoint() throws IOException, InterruptedException {
        INDArray row;
        float[] expected;
        try (Checkpoint checkpoint = Checkpoint.open(Golden.path("toy/mha-untied-f32"))) {
            row = checkpoint.weight("lm_head.weight").getRow(1);
            expected = Arrays.copyOfRange(checkpoint.floats("lm_head.weight"), 32, 64);
        }
        for (int i = 0; i < 10; i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertThat(row.toFloatVector()).isEqualTo(expected);
    }

    static Stream<Arguments> badCheckpoints() throws IOException {
        JsonNode bad = new ObjectMapper().readTree(Golden.path("bad/bad.json").toFile());
        return StreamSupport.stream(bad.get("inputs").spliterator(), false)
                .filter(input -> input.get("kind").asText().equals("checkpoint"))
                .filter(input -> !input.get("file").asText().endsWith(".bin"))
                .map(input -> Arguments.of(
                        input.get("name").asText(),
                        new ObjectMapper().convertValue(input.get("message_should_name"), String[].class)));
    }

    @ParameterizedTest
    @MethodSource("badCheckpoints")
    void refusesBadCheckpoints(String name, String[] shouldName) {
        Path folder = Golden.path("bad/" + name);
        assertThatThrownBy(() -> Checkpoint.open(folder).close())
                .isInstanceOf(BadInputException.class)
                .message()
                .contains(shouldName)
                .doesNotContain("\n");
        assertThat(Arrays.asList(shouldName)).isNotEmpty();
    }

    @Test
    void opensTheSoundNeighbourOfTheBadOnes() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(Golden.path("bad/ok"))) {
            assertThat(checkpoint.config().layers()).isEqualTo(1);
        }
    }

    /** The sound checkpoint, made from its parts with one of them changed. */
    private Path copyOfOk(Map<String, float[]> changed, String config) throws IOException {
        Path folder = Files.createDirectory(temporary.resolve("model"));
        Files.writeString(folder.resolve("config.json"), config);
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Checkpoint ok = Checkpoint.open(Golden.path("bad/ok"))) {
            for (Parameter parameter : ParameterNames.of(ok.config()).toList()) {
                String name = parameter.name();
                float[] values = changed.getOrDefault(name, ok.floats(name));
                writer.floats(name, ok.info(name).shape(), values);
            }
            for (String name : changed.keySet()) {
                if (ParameterNames.isIgnored(name)) {
                    writer.floats(name, new long[] {changed.get(name).length}, changed.get(name));
                }
            }
        }
        writer.write(folder.resolve("model.safetensors"));
        return folder;
    }

    private static String okConfig() throws IOException {
        return Files.readString(Golden.path("bad/ok/config.json"));
    }

    private static String tiedConfig() throws IOException {
        String tied = okConfig().replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true");
        assertThat(tied).isNotEqualTo(okConfig());
        return tied;
    }

    @Test
    void ignoresRotaryBuffers() throws IOException {
        String buffer = "model.layers.0.self_attn.rotary_emb.inv_freq";
        try (Checkpoint checkpoint = Checkpoint.open(copyOfOk(Map.of(buffer, new float[4]), okConfig()))) {
            assertThat(checkpoint.config().layers()).isEqualTo(1);
        }
    }

    @Test
    void aHeadBesideATiedEmbeddingMustBeTheSame() throws IOException {
        Path differs = copyOfOk(Map.of(), tiedConfig());
        assertThatThrownBy(() -> Checkpoint.open(differs).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("lm_head.weight differs from model.embed_tokens.weight");
    }

    @Test
    void aHeadThatIsTheTiedEmbeddingIsAccepted() throws IOException {
        float[] embedding;
        try (Checkpoint ok = Checkpoint.open(Golden.path("bad/ok"))) {
            embedding = ok.floats("model.embed_tokens.weight");
        }
        try (Checkpoint checkpoint = Checkpoint.open(copyOfOk(Map.of("lm_head.weight", embedding), tiedConfig()))) {
            assertThat(checkpoint.config().tiedEmbeddings()).isTrue();
        }
    }

    @Test
    void refusesLayoutsOfOtherVersions() throws IOException {
        Path folder = copyOfOk(Map.of(), okConfig());
        Files.writeString(folder.resolve("fedlora.json"), "{\"formatVersion\": 2}");
        assertThatThrownBy(() -> Checkpoint.open(folder).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("fedlora.json: formatVersion is 2; wanted 1");
    }

    @Test
    void aBillionClaimedLayersCostNothing() throws IOException {
        Path folder =
                copyOfOk(Map.of(), okConfig().replace("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2000000000"));
        assertThatThrownBy(() -> Checkpoint.open(folder).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("model.safetensors: model.layers.1.input_layernorm.weight is missing");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"weight_map\": {\"a\": \"/etc/passwd\"}} | a is \"/etc/passwd\"; wanted the name of a file",
                "{\"weight_map\": {\"a\": \"x/y\"}} | a is \"x/y\"; wanted the name of a file",
                "{\"weight_map\": {\"a\": \"..\"}} | a folder",
                "{\"weight_map\": {\"a\": \"\"}} | a folder",
                "{\"weight_map\": {\"a\": \"x\\u0000\"}} | a is in no file name",
                "{\"weight_map\": {\"a\": 1}} | a is 1; wanted a text",
                "{\"weight_map\": {\"a\": \"shard\"}} | a is missing; model.safetensors.index.json places it there",
                "{\"weight_map\": []} | weight_map is []; wanted an object",
                "{} | weight_map is missing; wanted an object",
            })
    void refusesBadIndices(String index, String message) throws IOException {
        Path folder = copyOfOk(Map.of(), okConfig());
        Files.move(folder.resolve("model.safetensors"), folder.resolve("shard"));
        Files.writeString(folder.resolve("model.safetensors.index.json"), index);
        assertThatThrownBy(() -> Checkpoint.open(folder).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aFolderWithoutWeightsIsNamed() throws IOException {
        Files.writeString(temporary.resolve("config.json"), okConfig());
        assertThatThrownBy(() -> Checkpoint.open(temporary).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("no model.safetensors and no model.safetensors.index.json");
        assertThatThrownBy(() -> Checkpoint.open(temporary.resolve("x")).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("x: no such folder");
    }
}
