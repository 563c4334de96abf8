package org.fedlora4j.model.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class CheckpointTest {
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

    @Test
    void arraysOutliveTheirCheckpoint() throws IOException {
        INDArray weight;
        float[] expected;
        try (Checkpoint checkpoint = Checkpoint.open(Golden.path("toy/mha-untied-f32"))) {
            weight = checkpoint.weight("lm_head.weight");
            expected = checkpoint.floats("lm_head.weight");
        }
        System.gc();
        assertThat(weight.data().asFloat()).isEqualTo(expected);
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
}
