package org.fedlora4j.benchmark.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.fedlora4j.benchmark.analysis.AnalyzedRun.pair;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Sensitivity;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.PeftAdapter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SensitivityAnalysisTest {
    @TempDir
    private Path folder;

    private Comparison comparison(int index) throws IOException {
        return SensitivityAnalysis.of(
                        AnalyzedRun.create(folder, "local").withTwoClients().path(), null)
                .comparisons()
                .get(index);
    }

    private static void assertMoved(
            Sensitivity found, double direction, double magnitude, double relative, int vectors) {
        assertThat(found.direction()).isCloseTo(direction, within(1e-7));
        assertThat(found.magnitude()).isCloseTo(magnitude, within(1e-7));
        assertThat(found.relativeMagnitude()).isCloseTo(relative, within(1e-7));
        assertThat(found.vectors()).isEqualTo(vectors);
    }

    private static void assertRatio(Ratio ratio, double value) {
        assertThat(Objects.requireNonNull(ratio.value())).isCloseTo(value, within(1e-6));
    }

    @Test
    void comparesTheSharedAdapterWithEachClients() throws IOException {
        Comparison shared = comparison(0);
        assertThat(shared.name()).isEqualTo("shared to client");
        assertThat(shared.pairs()).extracting(AdapterDifference::to).containsExactly("x", "y");

        Movement x = Movement.over(shared.pairs().get(0).rows().values());
        // A: (0.04 + 1) / 2, (5 + 1) / 2, (1 + 1) / 2
        assertMoved(x.a(), 0.52, 3, 1, 2);
        // B: (0 + 2 + 0) / 3, (5 + 2 + 0) / 3, (5/3 + 2/4 + 0) / 3
        assertMoved(x.b(), 2.0 / 3, 7.0 / 3, 13.0 / 18, 3);
        // y did not move: as many vectors again, and half the means
        Movement all = shared.all(MagnitudeAxis.ROW);
        assertMoved(all.a(), 0.26, 1.5, 0.5, 4);
        assertMoved(all.b(), 1.0 / 3, 7.0 / 6, 13.0 / 36, 6);
        // 0.26 / (1/3), (7/6) / 1.5, (13/36) / 0.5
        assertRatio(all.direction(), 0.78);
        assertRatio(all.magnitude(), 7.0 / 9);
        assertRatio(all.relativeMagnitude(), 13.0 / 18);
    }

    @Test
    void comparesAlongColumnsToo() throws IOException {
        Movement x = Movement.over(comparison(0).pairs().get(0).columns().values());
        // A: only layer 0's columns have a direction before and after: 3 -> 8, 4 -> 6
        assertMoved(x.a(), 0, 3.5, 13.0 / 12, 2);
        // B: 5 -> 10 with cos 0, and (2, 0) -> (2, 5), which is 2 -> sqrt(29) with cos 2/sqrt(29)
        double grown = Math.sqrt(29);
        assertMoved(x.b(), (1 + 1 - 2 / grown) / 2, (5 + grown - 2) / 2, (1 + (grown - 2) / 2) / 2, 2);
    }

    @Test
    void comparesLayerByLayer() throws IOException {
        SortedMap<Integer, Movement> byLayer = comparison(0).layers(MagnitudeAxis.ROW);
        assertThat(byLayer.keySet()).containsExactly(0, 1);
        List<Movement> layers = List.copyOf(byLayer.values());
        // Two clients, one of which did not move.
        assertMoved(layers.get(0).a(), 0.02, 2.5, 0.5, 2);
        assertMoved(layers.get(0).b(), 0.5, 1.75, 13.0 / 24, 4);
        assertMoved(layers.get(1).a(), 0.5, 0.5, 0.5, 2);
        assertMoved(layers.get(1).b(), 0, 0, 0, 2);
        assertThat(layers.get(1).direction()).isEqualTo(new Ratio(null, "B's directions did not move"));
        assertRatio(layers.get(1).magnitude(), 0);
    }

    /** In the order of the model, each over both layers. */
    @Test
    void comparesTargetByTarget() {
        Movement query = Movement.between(pair(3, 4, 3, 4), pair(8, 6, 8, -6), MagnitudeAxis.ROW);
        Movement value = Movement.between(pair(1, 0, 2, 0), pair(0, 2, 2, 5), MagnitudeAxis.ROW);
        SortedMap<String, Movement> rows = new TreeMap<>();
        for (int layer = 0; layer < 2; layer++) {
            rows.put(LoraConfig.path(layer, "v_proj"), value);
            rows.put(LoraConfig.path(layer, "down_proj"), query);
        }
        Comparison comparison =
                new Comparison("a to b", "a", List.of(new AdapterDifference("a", "b", rows, new TreeMap<>())));
        Map<String, Movement> targets = comparison.targets(MagnitudeAxis.ROW);
        assertThat(targets.keySet()).containsExactly("v_proj", "down_proj");
        List<Movement> moved = List.copyOf(targets.values());
        assertMoved(moved.get(0).a(), 1, 1, 1, 2);
        assertMoved(moved.get(1).a(), 0.04, 5, 1, 2);
    }

    /** Neither of two clients is before: relative is to either, and the mean of both. */
    @Test
    void comparesClientsWithEachOtherOnceAndSymmetrically() throws IOException {
        Comparison clients = comparison(1);
        assertThat(clients.name()).isEqualTo("client to client");
        assertThat(clients.pairs()).hasSize(1);
        Movement apart = clients.all(MagnitudeAxis.ROW);
        // A: 5 and 10 are 5/5 and 5/10 apart, 1 and 2 are 1/1 and 1/2
        assertMoved(apart.a(), 0.52, 3, 0.75, 2);
        // B: 3 and 8, 4 and 6, 2 and 2: (5/3 + 5/8 + 2/4 + 2/6 + 0) / 2 / 3
        assertMoved(apart.b(), 2.0 / 3, 7.0 / 3, 25.0 / 48, 3);
    }

    @Test
    void aRatioToWhatDidNotMoveIsUndefined() throws IOException {
        Path run = AnalyzedRun.create(folder, "fedlora-two-phase")
                .with("global", pair(3, 4, 3, 4), pair(1, 1, 2, 1))
                .with("client-x", pair(3, 4, 6, 5), pair(1, 1, 3, 1))
                .path();
        SensitivityAnalysis analysis = SensitivityAnalysis.of(run, null);
        assertThat(analysis.sameByRecipe()).containsExactly(Part.A_DIRECTION, Part.A_MAGNITUDE, Part.B_DIRECTION);
        assertThat(analysis.comparisons()).hasSize(1);
        Movement rows = analysis.comparisons().get(0).all(MagnitudeAxis.ROW);
        assertThat(rows.magnitude()).isEqualTo(new Ratio(null, "A's magnitudes did not move"));
        assertThat(rows.relativeMagnitude()).isEqualTo(new Ratio(null, "A's magnitudes did not move"));
        assertThat(rows.direction()).isEqualTo(new Ratio(null, "B's directions did not move"));
        // Along columns B's direction moves with its rows' magnitudes; A's did not.
        assertRatio(analysis.comparisons().get(0).all(MagnitudeAxis.COLUMN).direction(), 0);
    }

    /** 1 + 2^-23 is the float after 1. */
    @Test
    void roundingIsNoMovement() {
        LoraPair before = pair(1, 1, 1, 1);
        LoraPair after = pair(1 + 0x1p-23f, 1, 1 + 0x1p-23f, 2);
        Movement moved = Movement.between(before, after, MagnitudeAxis.COLUMN);
        assertThat(moved.a().magnitude()).isPositive();
        assertThat(moved.magnitude().undefined()).isEqualTo("A's magnitudes did not move");
        Movement back =
                Movement.between(pair(1, 1, 1, 1), pair(1 + 0x1p-20f, 1, 1, 1 + 0x1p-23f), MagnitudeAxis.COLUMN);
        assertThat(back.b().direction()).isPositive();
        assertThat(back.direction().undefined()).isEqualTo("B's directions did not move");
        assertThat(Movement.between(before, pair(1.01f, 1, 2, 1), MagnitudeAxis.COLUMN)
                        .magnitude()
                        .value())
                .isNotNull();
    }

    @Test
    void anUntrainedSharedAdapterHasNoDirectionToCompareWith() throws IOException {
        Path run = AnalyzedRun.create(folder, "local")
                .with("global", pair(3, 4, 0, 0), pair(1, 1, 0, 0))
                .with("client-x", pair(3, 5, 6, 5), pair(1, 2, 3, 1))
                .path();
        Movement rows = SensitivityAnalysis.of(run, null).comparisons().get(0).all(MagnitudeAxis.ROW);
        Ratio none = new Ratio(null, "B is zero in one of the adapters: no direction");
        assertThat(rows.direction()).isEqualTo(none);
        assertThat(rows.magnitude()).isEqualTo(none);
    }

    @Test
    void comparesWithAnotherAdapterOnRequest() throws IOException {
        AnalyzedRun run = AnalyzedRun.create(folder, "local").withTwoClients();
        Path x = run.path().resolve("adapters/client-x");
        Comparison found = SensitivityAnalysis.of(run.path(), x).comparisons().get(0);
        assertThat(found.name()).isEqualTo("other to client");
        assertThat(found.pairs().get(0).from()).isEqualTo(x.toString());
        assertMoved(Movement.over(found.pairs().get(0).rows().values()).a(), 0, 0, 0, 2);
        // From x to y, relative to x: (5/10 + 1/2) / 2
        assertMoved(Movement.over(found.pairs().get(1).rows().values()).a(), 0.52, 3, 0.5, 2);
    }

    @Test
    void refusesAdaptersOfDifferingShapes() throws IOException {
        AnalyzedRun run = AnalyzedRun.create(folder, "local").withTwoClients();
        LoraPair wide = new LoraPair(Matrix.of(2, 2, 1, 2, 3, 4), Matrix.of(2, 2, 1, 2, 3, 4));
        PeftAdapter.write(
                AnalyzedRun.adapter(LoraConfig.of(2, 2, "q_proj"), "q_proj", wide, wide), folder.resolve("wide"), "m");
        assertThatThrownBy(() -> SensitivityAnalysis.of(run.path(), folder.resolve("wide")))
                .isInstanceOf(BadInputException.class)
                .hasMessage("x: model.layers.0.self_attn.q_proj.lora_A is [1, 2], wanted [2, 2] as in "
                        + folder.resolve("wide"));
        PeftAdapter.write(
                AnalyzedRun.adapter(LoraConfig.of(1, 2, "v_proj"), "v_proj", pair(1, 1, 1, 1), pair(1, 1, 1, 1)),
                folder.resolve("values"),
                "m");
        assertThatThrownBy(() -> SensitivityAnalysis.of(run.path(), folder.resolve("values")))
                .isInstanceOf(BadInputException.class)
                .hasMessage("x: adapts [q_proj], wanted [v_proj] as " + folder.resolve("values"));
    }

    @Test
    void refusesARunWithoutAdapters() throws IOException {
        AnalyzedRun run = AnalyzedRun.create(folder, "local");
        assertThatThrownBy(() -> SensitivityAnalysis.of(folder, null)).hasMessageContaining("no run's folder");
        assertThatThrownBy(() -> SensitivityAnalysis.of(run.path(), null)).hasMessageContaining("has no adapters yet");
        Files.createDirectory(run.path().resolve("adapters"));
        assertThatThrownBy(() -> SensitivityAnalysis.of(run.path(), null))
                .isInstanceOf(BadInputException.class)
                .hasMessage(run.path() + ": has no client's adapter; wanted a run that is complete");
    }
}
