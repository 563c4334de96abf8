package org.fedlora4j.benchmark.speed.report;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.common.AtomicFiles;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;

/** Time and memory against one size, side by side, both from zero: a straight line grows no faster than its size. */
final class GrowthPicture {
    static {
        System.setProperty("java.awt.headless", "true");
    }

    private static final int WIDTH = 440;
    private static final int HEIGHT = 280;

    private GrowthPicture() {}

    /**
     * Writes a PNG file.
     *
     * @param size what grows
     * @param step what {@code millis} are of
     * @param megabytes the peak of each
     */
    static void write(
            Path png, String size, List<Double> sizes, String step, List<Double> millis, List<Double> megabytes)
            throws IOException {
        List<XYChart> panels =
                List.of(panel(size, sizes, "ms a " + step, millis), panel(size, sizes, "peak resident MB", megabytes));
        AtomicFiles.writeStream(png, out -> BitmapEncoder.saveBitmap(panels, 1, panels.size(), out, BitmapFormat.PNG));
    }

    private static XYChart panel(String xTitle, List<Double> xs, String yTitle, List<Double> ys) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .xAxisTitle(xTitle)
                .yAxisTitle(yTitle)
                .build();
        chart.getStyler().setLegendVisible(false);
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        chart.getStyler().setXAxisMin(0.0);
        chart.getStyler().setYAxisMin(0.0);
        chart.addSeries(yTitle, xs, ys);
        return chart;
    }
}
