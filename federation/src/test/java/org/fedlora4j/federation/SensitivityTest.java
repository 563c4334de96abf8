package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.model.weights.SafetensorsFile;
import org.junit.jupiter.api.Test;

class SensitivityTest {
    private static final Path METHOD = Path.of(System.getProperty("fedlora.golden"), "method");

    /** Row 0 from length 5 to 10 in the same direction; row 1 keeps length 2 and turns by 60°; row 2 was zero. */
    @Test
    void meansAreOverTheVectorsThatHaveDirections() {
        Matrix before = Matrix.of(3, 2, 3, 4, 2, 0, 0, 0);
        Matrix after = Matrix.of(3, 2, 6, 8, 1, (float) Math.sqrt(3), 1, 1);
        Sensitivity found = Sensitivity.between(before, after, MagnitudeAxis.ROW);

        assertThat(found.magnitude()).isCloseTo(2.5, within(1e-7));
        assertThat(found.relativeMagnitude()).isCloseTo(0.5, within(1e-7));
        assertThat(found.direction()).isCloseTo(0.25, within(1e-7));
        assertThat(found.vectors()).isEqualTo(2);
        assertThat(Sensitivity.between(before.transpose(), after.transpose(), MagnitudeAxis.COLUMN))
                .isEqualTo(found);
    }

    @Test
    void matricesCountByTheirVectors() {
        Sensitivity all = Sensitivity.over(List.of(new Sensitivity(1, 2, 3, 3), new Sensitivity(5, 6, 7, 1)));
        assertThat(all).isEqualTo(new Sensitivity(2, 3, 4, 4));
        assertThat(Sensitivity.over(List.of())).isEqualTo(new Sensitivity(0, 0, 0, 0));
    }

    @Test
    void matchesTheReference() throws IOException {
        JsonNode cases = new ObjectMapper()
                .readTree(METHOD.resolve("sensitivity.json").toFile())
                .get("cases");
        assertThat(cases).hasSize(4);
        try (SafetensorsFile file = SafetensorsFile.open(METHOD.resolve("sensitivity.safetensors"))) {
            for (JsonNode reference : cases) {
                for (String matrix : List.of("A", "B")) {
                    String name = reference.get("case").asText() + "." + matrix;
                    for (MagnitudeAxis axis : MagnitudeAxis.values()) {
                        String key = axis == MagnitudeAxis.ROW ? "per_row" : "per_column";
                        JsonNode wanted = reference.get(matrix).get(key);
                        Sensitivity found = Sensitivity.between(
                                vectors(file, name + ".before", axis), vectors(file, name + ".after", axis));
                        assertThat(found.magnitude())
                                .isCloseTo(wanted.get("magnitude").asDouble(), within(1e-12));
                        assertThat(found.relativeMagnitude())
                                .isCloseTo(wanted.get("relative_magnitude").asDouble(), within(1e-12));
                        assertThat(found.direction())
                                .isCloseTo(wanted.get("direction").asDouble(), within(1e-12));
                    }
                }
            }
        }
    }

    private static double[][] vectors(SafetensorsFile file, String name, MagnitudeAxis axis) throws IOException {
        double[] values = file.doubles(name);
        int rows = (int) file.tensor(name).shape()[0];
        int columns = (int) file.tensor(name).shape()[1];
        boolean byRow = axis == MagnitudeAxis.ROW;
        double[][] vectors = new double[byRow ? rows : columns][byRow ? columns : rows];
        for (int i = 0; i < values.length; i++) {
            if (byRow) {
                vectors[i / columns][i % columns] = values[i];
            } else {
                vectors[i % columns][i / columns] = values[i];
            }
        }
        return vectors;
    }
}
