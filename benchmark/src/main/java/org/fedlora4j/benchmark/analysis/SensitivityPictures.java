package org.fedlora4j.benchmark.analysis;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.fedlora4j.benchmark.pictures.LineChart;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.federation.Sensitivity;
import org.fedlora4j.lora.MagnitudeAxis;

/**
 * Pictures of an analysis: {@code sensitivity-<comparison>-<axis>-<measure>.svg}, how far A and B moved in each layer. A
 * layer that did not move has no point, for the scales are logarithmic.
 */
public final class SensitivityPictures {
    /** What is drawn, each in a picture of its own. */
    @SuppressWarnings("ImmutableEnumChecker") // The functions hold nothing.
    private enum Measure {
        DIRECTION("direction", "mean (1 - cos)", Sensitivity::direction),
        MAGNITUDE("magnitude", "mean |m' - m|", Sensitivity::magnitude),
        RELATIVE_MAGNITUDE("relative-magnitude", "mean |m' - m| / m", Sensitivity::relativeMagnitude);

        private final String key;
        private final String unit;
        private final ToDoubleFunction<Sensitivity> value;

        Measure(String key, String unit, ToDoubleFunction<Sensitivity> value) {
            this.key = key;
            this.unit = unit;
            this.value = value;
        }
    }

    private SensitivityPictures() {}

    /** Writes a picture for each comparison, axis and measure and returns their paths; none of what did not move at all. */
    public static List<Path> write(SensitivityAnalysis analysis, Path folder) throws IOException {
        List<Path> written = new ArrayList<>();
        for (Comparison comparison : analysis.comparisons()) {
            for (MagnitudeAxis axis : MagnitudeAxis.values()) {
                String vectors = axis == MagnitudeAxis.ROW ? "rows" : "columns";
                for (Measure measure : Measure.values()) {
                    List<LineChart.Line> lines = lines(comparison.layers(axis), measure);
                    if (!lines.isEmpty()) {
                        String title = measure.key.replace('-', ' ') + ", " + comparison.name() + ", " + vectors;
                        Path file = folder.resolve(
                                "sensitivity-" + comparison.key() + "-" + vectors + "-" + measure.key + ".svg");
                        AtomicFiles.writeString(file, new LineChart(title, "layer", measure.unit, true, lines).svg());
                        written.add(file);
                    }
                }
            }
        }
        return written;
    }

    private static List<LineChart.Line> lines(SortedMap<Integer, Movement> layers, Measure measure) {
        List<LineChart.Line> lines = new ArrayList<>();
        addLine("A", 0, layers, Movement::a, measure, lines);
        addLine("B", 1, layers, Movement::b, measure, lines);
        return lines;
    }

    private static void addLine(
            String matrix,
            int number,
            SortedMap<Integer, Movement> layers,
            Function<Movement, Sensitivity> of,
            Measure measure,
            List<LineChart.Line> lines) {
        List<LineChart.Point> points = layers.entrySet().stream()
                .map(layer ->
                        new LineChart.Point(layer.getKey(), measure.value.applyAsDouble(of.apply(layer.getValue()))))
                .filter(point -> point.value() > 0)
                .toList();
        if (!points.isEmpty()) {
            lines.add(new LineChart.Line(matrix, number, false, points, List.of()));
        }
    }
}
