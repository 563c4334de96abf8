package org.fedlora4j.benchmark.speed.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Precision;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tables of docs/scale.md are what the formulas make of the measurements in the repository. */
class ScaleTest {
    private static final Path ROOT = Path.of("..");

    @ParameterizedTest
    @ValueSource(strings = {"llama2-7b", "deepseek-llm-7b-base"})
    void tablesAreThoseOfTheMeasurements(String name) throws IOException {
        Path results;
        try (Stream<Path> files = Files.list(ROOT.resolve("benchmark/results"))) {
            results = files.filter(file -> file.getFileName().toString().matches("scale-" + name + "-.*\\.json"))
                    .findFirst()
                    .orElseThrow();
        }
        JsonMapper mapper = new JsonMapper();
        JsonNode saved = mapper.readTree(Files.readAllBytes(results));
        Runs runs = new Runs();
        Set<String> points = new LinkedHashSet<>();
        for (JsonNode run : saved.path("runs")) {
            runs.add(mapper.treeToValue(run, Runs.Run.class));
            points.add(run.path("point").asText());
        }
        List<Scale.Point> sizes = new ArrayList<>();
        points.forEach(point -> sizes.add(Scale.Point.parse(point)));
        LlamaConfig model = LlamaConfig.read(ROOT.resolve(
                "benchmark/src/main/resources/org/fedlora4j/benchmark/synthetic/" + name + "/config.json"));
        assertThat(Files.readString(ROOT.resolve("docs/scale.md")))
                .contains("<!-- scale-" + name + ":begin -->\n"
                        + new Scale(model, Precision.BF16).report(runs, sizes).strip());
    }

    @Test
    void aWrongPointIsNamed() {
        assertThatThrownBy(() -> Scale.Point.parse("1x0"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("point: 1x0, wanted BATCHxTOKENS or BATCHxTOKENSxRANK");
    }
}
