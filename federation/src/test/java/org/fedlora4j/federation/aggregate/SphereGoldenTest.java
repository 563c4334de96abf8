package org.fedlora4j.federation.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.fedlora4j.model.weights.SafetensorsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The reference values of golden/method/sphere.safetensors, made with independent code in Python. */
class SphereGoldenTest {
    private static final Offset<Double> TOLERANCE = within(1e-9);
    private static final Path FILE = Path.of(System.getProperty("fedlora.golden"), "method", "sphere.safetensors");

    @ParameterizedTest
    @ValueSource(strings = {"k2.near", "k2.far", "k2.wide", "k5.near", "k5.far", "k5.wide"})
    void meansMatch(String name) throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(FILE)) {
            double[] weights = file.doubles(name + ".weights");
            List<double[][]> sets = new ArrayList<>();
            for (int k = 0; k < weights.length; k++) {
                sets.add(rows(file, name + ".points." + k));
            }
            double[][] arithmetic = rows(file, name + ".arithmetic");
            double[][] karcher = rows(file, name + ".karcher");
            double[] resultant = file.doubles(name + ".resultant");
            for (int n = 0; n < arithmetic.length; n++) {
                int row = n;
                List<double[]> points = sets.stream().map(set -> set[row]).toList();
                double[] old = new double[arithmetic[n].length];
                assertThat(Sphere.mean(points, weights, old)).containsExactly(arithmetic[n], TOLERANCE);
                assertThat(Sphere.karcher(points, weights, old)).containsExactly(karcher[n], TOLERANCE);
                assertThat(Sphere.resultant(points, weights)).isCloseTo(resultant[n], TOLERANCE);
            }
        }
    }

    @Test
    void mapsMatch() throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(FILE)) {
            double[][] p = rows(file, "maps.p");
            double[][] q = rows(file, "maps.q");
            double[][] log = rows(file, "maps.log");
            double[] angle = file.doubles("maps.angle");
            double[][] tangent = rows(file, "maps.tangent");
            double[][] exp = rows(file, "maps.exp");
            for (int n = 0; n < p.length; n++) {
                assertThat(Sphere.angle(p[n], q[n])).isCloseTo(angle[n], TOLERANCE);
                assertThat(Sphere.log(p[n], q[n])).containsExactly(log[n], TOLERANCE);
                assertThat(Sphere.exp(p[n], tangent[n])).containsExactly(exp[n], TOLERANCE);
            }
        }
    }

    private static double[][] rows(SafetensorsFile file, String name) throws IOException {
        double[] values = file.doubles(name);
        int columns = (int) file.tensor(name).shape()[1];
        double[][] rows = new double[values.length / columns][];
        for (int n = 0; n < rows.length; n++) {
            rows[n] = Arrays.copyOfRange(values, n * columns, (n + 1) * columns);
        }
        return rows;
    }
}
