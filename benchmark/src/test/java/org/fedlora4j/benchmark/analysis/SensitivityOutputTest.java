package org.fedlora4j.benchmark.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.fedlora4j.benchmark.analysis.AnalyzedRun.pair;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Tables, JSON and pictures; the numbers are those of {@link AnalyzedRun#withTwoClients}. */
class SensitivityOutputTest {
    @TempDir
    private Path folder;

    private SensitivityAnalysis twoClients() throws IOException {
        return SensitivityAnalysis.of(
                AnalyzedRun.create(folder, "local").withTwoClients().path(), null);
    }

    /** Client x has grown rows of B and nothing else, as the recipe allows. */
    private SensitivityAnalysis onlyMagnitudesOfB() throws IOException {
        return SensitivityAnalysis.of(
                AnalyzedRun.create(folder, "fedlora-two-phase")
                        .with("global", pair(3, 4, 3, 4), pair(1, 1, 2, 1))
                        .with("client-x", pair(3, 4, 6, 5), pair(1, 1, 3, 1))
                        .path(),
                null);
    }

    @Test
    void tablesHaveTheRatiosBesideTheAuthors() throws IOException {
        List<String> lines = SensitivityTables.text(twoClients())
                .lines()
                .map(SensitivityOutputTest::squeezed)
                .toList();
        assertThat(lines.get(0))
                .isEqualTo(
                        folder.resolve("run") + ", recipe local: " + folder.resolve("run/adapters/global")
                                + " compared with each client's adapter, of which there are 2; and these with each other, pairs: 1."
                                + " Relative is to the magnitude before; between two clients to either's, and the mean of both.");
        assertThat(lines)
                .contains(
                        "| shared to client | rows | A | 0.260 | 1.50 | 0.500 | 4 |",
                        "| client to client | rows | B | 0.667 | 2.33 | 0.521 | 3 |",
                        "| ratio | shared to client, rows | shared to client, columns | client to client, rows"
                                + " | client to client, columns | the authors |")
                .anySatisfy(line -> assertThat(line).matches("\\| direction, A : B \\| 0.780 \\| .* \\| 1.7 \\|"))
                .anySatisfy(line -> assertThat(line).matches("\\| magnitude, B : A \\| 0.778 \\| .* \\| 41 \\|"))
                .anySatisfy(
                        line -> assertThat(line).matches("\\| relative magnitude, B : A \\| 0.722 \\| .* \\| 41 \\|"))
                .anySatisfy(line -> assertThat(line).startsWith("| shared to client | rows | q_proj | 0.780 |"))
                .noneSatisfy(line -> assertThat(line).contains("By the recipe"));
    }

    @Test
    void tablesSayWhatIsTheSameByRecipeAndWhyThereIsNoRatio() throws IOException {
        String text = SensitivityTables.text(onlyMagnitudesOfB());
        assertThat(text)
                .contains("By the recipe clients keep B.magnitude to themselves. Along rows, its magnitude axis, "
                        + "A.direction, A.magnitude, B.direction are therefore the same")
                .contains("- No ratio, shared to client, rows: B's directions did not move.\n")
                .contains("- No ratio, shared to client, rows: A's magnitudes did not move.\n")
                .doesNotContain("Infinity")
                .doesNotContain("NaN");
        assertThat(text.lines().map(SensitivityOutputTest::squeezed))
                .contains("| direction, A : B | - | 0 | 1.7 |", "| magnitude, B : A | - | - | 41 |");
    }

    private static String squeezed(String line) {
        return line.replaceAll(" +", " ");
    }

    @Test
    void jsonHasEverything() throws IOException {
        JsonNode tree = SensitivityJson.tree(twoClients());
        assertThat(tree.at("/authors/direction").asDouble()).isEqualTo(1.7);
        assertThat(tree.at("/clients").toString()).isEqualTo("[\"x\",\"y\"]");
        JsonNode rows = tree.at("/comparisons/0/row");
        assertThat(rows.at("/all/ratios/direction").asDouble()).isCloseTo(0.78, within(1e-6));
        assertThat(rows.at("/targets/q_proj")).isEqualTo(rows.at("/all"));
        assertThat(rows.at("/layers/1/layer").asInt()).isEqualTo(1);
        assertThat(rows.at("/layers/1/ratios/direction").isNull()).isTrue();
        assertThat(rows.at("/layers/1/undefined").toString())
                .isEqualTo("{\"direction\":\"B's directions did not move\"}");
        assertThat(rows.get("all").has("undefined")).isFalse();
        assertThat(rows.at("/pairs/0/to").asText()).isEqualTo("x");
        assertThat(rows.at("/pairs/0/A/direction").asDouble()).isCloseTo(0.52, within(1e-7));
        assertThat(tree.at("/comparisons/1/compared").asText()).isEqualTo("client to client");
        assertThat(tree.at("/comparisons/1/column/all/A/vectors").asInt()).isEqualTo(2);
    }

    @Test
    void thereIsAPictureForEachComparisonAxisAndMeasure() throws Exception {
        List<Path> pictures = SensitivityPictures.write(twoClients(), folder.resolve("pictures"));
        assertThat(pictures)
                .extracting(picture -> String.valueOf(picture.getFileName()))
                .hasSize(2 * 2 * 3)
                .contains(
                        "sensitivity-shared-rows-direction.svg", "sensitivity-clients-columns-relative-magnitude.svg");
        for (Path picture : pictures) {
            assertThat(labels(picture)).contains("B", "layer");
        }
        assertThat(labels(folder.resolve("pictures/sensitivity-shared-rows-direction.svg")))
                .contains("A");
    }

    /** The texts of a well-formed SVG. */
    private static List<String> labels(Path svg) throws Exception {
        Element root = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(svg.toFile())
                .getDocumentElement();
        assertThat(root.getTagName()).isEqualTo("svg");
        NodeList texts = root.getElementsByTagName("text");
        return IntStream.range(0, texts.getLength())
                .mapToObj(i -> texts.item(i).getTextContent())
                .toList();
    }

    @Test
    void whatDidNotMoveHasNoPicture() throws IOException {
        SensitivityAnalysis unmoved = SensitivityAnalysis.of(
                AnalyzedRun.create(folder, "fedavg-lora")
                        .with("global", pair(3, 4, 3, 4), pair(1, 1, 2, 1))
                        .with("client-x", pair(3, 4, 3, 4), pair(1, 1, 2, 1))
                        .path(),
                null);
        assertThat(SensitivityPictures.write(unmoved, folder.resolve("pictures")))
                .isEmpty();
        assertThat(SensitivityTables.text(unmoved)).contains("By the recipe clients keep nothing to themselves.");
    }

    /** A's have no line; along rows B's directions have none either, and so there is no picture of directions. */
    @Test
    void picturesLeaveOutWhatDidNotMove() throws Exception {
        List<Path> pictures = SensitivityPictures.write(onlyMagnitudesOfB(), folder.resolve("pictures"));
        assertThat(pictures)
                .extracting(picture -> String.valueOf(picture.getFileName()))
                .containsExactly(
                        "sensitivity-shared-rows-magnitude.svg",
                        "sensitivity-shared-rows-relative-magnitude.svg",
                        "sensitivity-shared-columns-direction.svg",
                        "sensitivity-shared-columns-magnitude.svg",
                        "sensitivity-shared-columns-relative-magnitude.svg");
        assertThat(labels(pictures.get(0))).contains("B").doesNotContain("A");
    }
}
