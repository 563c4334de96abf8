package org.fedlora4j.benchmark.speed.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.fedlora4j.benchmark.speed.report.RunsTest.measured;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.fedlora4j.benchmark.speed.Measurement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the commands show of given measurements. */
class TablesTest {
    private final Runs runs = new Runs();

    private void add(String point, String subject, double millis, long megabytes) {
        runs.add(new Runs.Run(point, subject, 1, measured(millis, megabytes * 1_000_000)));
    }

    @Test
    void stepsBesidePeers() {
        add("1x128", "fedlora4j f32", 100, 1_200);
        add("1x128", "PEFT f32", 150, 1_600);
        add("1x128", "matmuls f32", 80, 900);
        add("1x128", "fedlora4j bf16", 50, 1_200);
        add("1x128", "PEFT autocast", 75.5, 1_600);
        add("1x128", "matmuls bf16", 8, 900);
        assertThat(Steps.table(runs, List.of("1x128"), List.of(Case.F32, Case.AUTOCAST)))
                .isEqualTo("""
                        | batch | precision | tokens/s | PEFT | ratio | peak MB | PEFT | ratio | step ms | PEFT | matmuls alone ms | step to matmuls |
                        |---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
                        | 1x128 | f32 | 1,000 | 667 | **1.50** | 1,200 | 1,600 | **0.75** | 100 | 150 | 80.0 | **1.25** |
                        | 1x128 | bf16, PEFT autocast | 2,000 | 1,325 | **1.51** | 1,200 | 1,600 | **0.75** | 50.0 | 75.5 | 8.00 | **6.25** |
                        """);
    }

    @Test
    void largeModelsBesideAPeerThatMayStayOut() {
        addLarge("forward", "fedlora4j f32", 5_000, 1_000, 14_000);
        addLarge("forward", "matmuls f32", 4_000, 500, 14_000);
        addLarge("training step", "fedlora4j f32", 10_000, 2_000, 15_000);
        addLarge("training step", "matmuls f32", 8_000, 500, 14_000);
        for (String pass : List.of("forward", "training step")) {
            addLarge(pass, "fedlora4j bf16", 2_000, 1_500, 15_000);
            addLarge(pass, "PEFT bf16", 2_500, 18_000, 19_000);
            addLarge(pass, "matmuls bf16", 1_600, 500, 14_000);
        }
        assertThat(Large.table(runs, List.of(Case.F32, Case.BF16))).isEqualTo("""
                        | pass | precision | s | PEFT | tokens/s | PEFT | ratio | matmuls alone s | to matmuls | peak anonymous | PEFT | peak resident | PEFT |
                        |---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
                        | forward | f32 | 5.00 | – | 20.0 | – | – | 4.00 | **1.25** | 1,000 | – | 14,000 | – |
                        | forward | bf16 | 2.00 | 2.50 | 50.0 | 40.0 | **1.25** | 1.60 | **1.25** | 1,500 | 18,000 | 15,000 | 19,000 |
                        | training step | f32 | 10.0 | – | 10.0 | – | – | 8.00 | **1.25** | 2,000 | – | 15,000 | – |
                        | training step | bf16 | 2.00 | 2.50 | 50.0 | 40.0 | **1.25** | 1.60 | **1.25** | 1,500 | 18,000 | 15,000 | 19,000 |
                        """);
    }

    private void addLarge(String pass, String subject, double millis, long anonymousMegabytes, long megabytes) {
        Measurement measurement =
                measured(millis, megabytes * 1_000_000).with(Command.PEAK_ANONYMOUS_BYTES, anonymousMegabytes * 1e6);
        runs.add(new Runs.Run(pass, subject, 1, measurement));
    }

    @Test
    void ratiosShowTheirRange() {
        assertThat(Table.ratio(new Runs.Ratio(1.5, 1.25, 2))).isEqualTo("**1.50** (1.25–2.00)");
    }

    @Test
    void generationBesidePeers() {
        add("8", "fedlora4j f32", 100, 1_200);
        add("8", "transformers f32", 200, 1_600);
        assertThat(Generation.table(runs, List.of("8"), List.of(Case.F32))).isEqualTo("""
                        | batch | precision | tokens/s | transformers | ratio | peak MB | transformers | ratio |
                        |---|---|---:|---:|---:|---:|---:|---:|
                        | 8 | f32 | 1,000 | 500 | **2.00** | 1,200 | 1,600 | **0.75** |
                        """);
    }

    @Test
    void recomputationBesideNone() {
        add("1x512", "none", 100, 2_000);
        add("1x512", "layer", 130, 1_500);
        assertThat(Recomputation.table(runs, List.of("1x512"), List.of("none", "layer")))
                .isEqualTo("""
                        | batch | recomputes | peak MB | ratio | step ms | ratio |
                        |---|---|---:|---:|---:|---:|
                        | 1x512 | none | 2,000 | **1.00** | 100 | **1.00** |
                        | 1x512 | layer | 1,500 | **0.75** | 130 | **1.30** |
                        """);
    }

    @Test
    void responsesBesideAllPositions() {
        for (String targets : List.of("responses", "all")) {
            TreeMap<String, Double> shares = new TreeMap<>();
            shares.put("paddedShare", 0.107);
            shares.put("targetShare", targets.equals("all") ? 0.99 : 0.4);
            double millis = targets.equals("all") ? 120 : 100;
            runs.add(new Runs.Run(
                    "batch 4",
                    targets,
                    1,
                    new Measurement(List.of(millis), 60, 1_000_000_000, shares, new TreeMap<>())));
        }
        assertThat(Instructions.table(runs, "batch 4")).isEqualTo("""
                        | targets | step ms | gain | peak MB | tokens/s | targets' share | padded share |
                        |---|---:|---:|---:|---:|---:|---:|
                        | responses | 100 | **1.20** | 1,000 | 600 | 40.0 % | 10.7 % |
                        | all | 120 | **1.00** | 1,000 | 500 | 99.0 % | 10.7 % |
                        """);
    }

    @Test
    void growthHasAPictureAndATableForEachSize() {
        add("rank 4", "fedlora4j", 100, 800);
        add("rank 8", "fedlora4j", 110, 810);
        assertThat(Growth.tables(runs, List.of(new Growth.Axis("rank", "batch 1x128", "step", List.of(4, 8)))))
                .isEqualTo("""
                        ### By rank

                        batch 1x128:

                        ![time and memory by rank](images/performance/growth-rank.png)

                        | rank | step ms | tokens/s | peak MB |
                        |---:|---:|---:|---:|
                        | 4 | 100 | 1,000 | 800 |
                        | 8 | 110 | 909 | 810 |

                        """);
    }

    @Test
    void thePictureHasBothPanels(@TempDir Path folder) throws IOException {
        Path png = folder.resolve("growth.png");
        GrowthPicture.write(png, "rank", List.of(4.0, 8.0), "step", List.of(100.0, 110.0), List.of(800.0, 810.0));
        BufferedImage picture = ImageIO.read(png.toFile());
        assertThat(picture.getWidth()).isGreaterThan(2 * picture.getHeight());
        assertThat(png.toFile().length()).isLessThan(100_000);
    }
}
