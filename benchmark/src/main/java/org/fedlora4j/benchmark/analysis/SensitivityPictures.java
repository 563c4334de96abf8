package org.fedlora4j.benchmark.analysis;

import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.federation.Sensitivity;
import org.fedlora4j.lora.MagnitudeAxis;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;

/**
 * Pictures of an analysis: {@code sensitivity-<comparison>-<axis>.svg}, how far A and B moved in each layer, in direction,
 * magnitude and relative magnitude. A layer that did not move has no point, for the scales are logarithmic.
 */
public final class SensitivityPictures {
    static {
        System.setProperty("java.awt.headless", "true");
    }

    private static final int WIDTH = 420;
    private static final int HEIGHT = 320;

    private SensitivityPictures() {}

    /** Writes a picture for each comparison and axis and returns their paths; none of what did not move at all. */
    public static List<Path> write(SensitivityAnalysis analysis, Path folder) throws IOException {
        List<Path> written = new ArrayList<>();
        for (Comparison comparison : analysis.comparisons()) {
            for (MagnitudeAxis axis : MagnitudeAxis.values()) {
                List<XYChart> panels = panels(comparison, axis);
                if (!panels.isEmpty()) {
                    Path file = folder.resolve("sensitivity-" + comparison.key()
                            + (axis == MagnitudeAxis.ROW ? "-rows.svg" : "-columns.svg"));
                    write(panels, file);
                    written.add(file);
                }
            }
        }
        return written;
    }

    private static List<XYChart> panels(Comparison comparison, MagnitudeAxis axis) {
        String of = comparison.name() + (axis == MagnitudeAxis.ROW ? ", rows" : ", columns");
        SortedMap<Integer, Movement> layers = comparison.layers(axis);
        List<XYChart> panels = new ArrayList<>();
        addPanel("direction, " + of, "mean(1 - cos)", layers, Sensitivity::direction, panels);
        addPanel("magnitude, " + of, "mean|m' - m|", layers, Sensitivity::magnitude, panels);
        addPanel("relative magnitude, " + of, "mean|m' - m| / m", layers, Sensitivity::relativeMagnitude, panels);
        return panels;
    }

    private static void addPanel(
            String title,
            String unit,
            SortedMap<Integer, Movement> layers,
            ToDoubleFunction<Sensitivity> measure,
            List<XYChart> panels) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("layer")
                .yAxisTitle(unit)
                .build();
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        chart.getStyler().setLegendPosition(LegendPosition.OutsideS);
        chart.getStyler().setLegendLayout(LegendLayout.Horizontal);
        chart.getStyler().setYAxisLogarithmic(true);
        addSeries("A", layers, Movement::a, measure, chart);
        addSeries("B", layers, Movement::b, measure, chart);
        if (!chart.getSeriesCollection().isEmpty()) {
            panels.add(chart);
        }
    }

    private static void addSeries(
            String matrix,
            SortedMap<Integer, Movement> layers,
            Function<Movement, Sensitivity> of,
            ToDoubleFunction<Sensitivity> measure,
            XYChart chart) {
        List<Integer> numbers = new ArrayList<>();
        List<Double> values = new ArrayList<>();
        for (Map.Entry<Integer, Movement> layer : layers.entrySet()) {
            double value = measure.applyAsDouble(of.apply(layer.getValue()));
            if (value > 0) {
                numbers.add(layer.getKey());
                values.add(value);
            }
        }
        if (!values.isEmpty()) {
            chart.addSeries(matrix, numbers, values);
        }
    }

    /** One file with the panels side by side. */
    private static void write(List<XYChart> panels, Path file) throws IOException {
        VectorGraphics2D graphics = new VectorGraphics2D();
        for (XYChart panel : panels) {
            panel.paint(graphics, WIDTH, HEIGHT);
            graphics.translate(WIDTH, 0);
        }
        PageSize page = new PageSize(0, 0, (double) WIDTH * panels.size(), HEIGHT);
        AtomicFiles.writeStream(
                file,
                out -> new SVGProcessor()
                        .getDocument(graphics.getCommands(), page)
                        .writeTo(out));
    }
}
