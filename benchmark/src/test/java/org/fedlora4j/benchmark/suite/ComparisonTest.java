package org.fedlora4j.benchmark.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.benchmark.suite.Comparison.Verdict;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
    private static final Metric LOCAL_LOSS = new Metric(Metric.Model.LOCAL, Metric.Score.LOSS);
    private static final Metric LOCAL_ROUGE = new Metric(Metric.Model.LOCAL, Metric.Score.ROUGE_L);
    private static final List<String> CLIENTS = List.of("a", "b", "c", "d");
    private static final Setup SETUP = new Setup("model", "data");

    @TempDir
    private Path folder;

    /**
     * Ours loses less than "near" in 7 of 8 pairs. By seed the loss is 1.0 against 1.15 and 1.1 against 1.2, so the gain
     * is (0.15 + 0.1) / 2. The differences, in hundredths: 10, 20, 25, 5 and 11, 12, 18, -1; -1 has rank 1, so the smaller
     * sum is 1, which 2 of 2^8 sign patterns have at most; p = 2 x 2 / 256. "far" loses in all: p = 2 / 256. Holm: the
     * smaller times 2 is 4 / 256, which is the other's p too.
     */
    @Test
    void testsOursAgainstEachRival() throws IOException {
        List<Comparison> comparisons = Comparison.of(results(), SETUP, LOCAL_LOSS);
        assertThat(comparisons).extracting(Comparison::rival).containsExactly("near", "far");
        Comparison near = comparisons.get(0);
        assertThat(near.gain()).isCloseTo(0.125, within(1e-9));
        assertThat(near.seeds()).isEqualTo(2);
        assertThat(near.pairs()).isEqualTo(8);
        assertThat(near.wilcoxon()).isCloseTo(4 / 256.0, within(1e-9));
        assertThat(near.wilcoxonHolm()).isCloseTo(4 / 256.0, within(1e-9));
        assertThat(comparisons.get(1).wilcoxon()).isCloseTo(2 / 256.0, within(1e-9));
        assertThat(comparisons.get(1).wilcoxonHolm()).isCloseTo(4 / 256.0, within(1e-9));
        // Differences 0.15 and 0.10: t = 0.125 / (0.0353553 / sqrt 2) = 5; of one degree p = 1 - 2 atan(5) / pi.
        assertThat(near.pairedT().orElseThrow()).isCloseTo(1 - 2 * Math.atan(5) / Math.PI, within(1e-9));
        assertThat(comparisons).extracting(Comparison::verdict).containsOnly(Verdict.BETTER);
    }

    /** The same numbers, where more is better. */
    @Test
    void higherIsBetterForRouge() throws IOException {
        Comparison near = Comparison.of(results(), SETUP, LOCAL_ROUGE).get(0);
        assertThat(near.gain()).isCloseTo(-0.0125, within(1e-9));
        assertThat(near.verdict()).isEqualTo(Verdict.WORSE);
        assertThat(results().best(SETUP, List.of("near", "far"), LOCAL_LOSS)).contains("near");
        assertThat(results().best(SETUP, List.of("near", "far"), LOCAL_ROUGE)).contains("far");
    }

    @Test
    void oneSeedShowsNothing() throws IOException {
        Suite suite = SyntheticResults.suite(folder, List.of("ours", "rival"), List.of(1));
        List<String> clients = List.of("a", "b", "c", "d", "e", "f", "g");
        SyntheticResults.write(suite, "ours", 1, clients, 1, 1, 1, 1, 1, 1, 1);
        SyntheticResults.write(suite, "rival", 1, clients, 2, 3, 4, 5, 6, 7, 8);
        Comparison comparison =
                Comparison.of(SuiteResults.ofRuns(suite), SETUP, LOCAL_LOSS).get(0);
        assertThat(comparison.wilcoxonHolm()).isCloseTo(2 / 128.0, within(1e-9));
        assertThat(comparison.pairedT()).isEmpty();
        assertThat(comparison.pairedTHolm()).isEmpty();
        assertThat(comparison.verdict()).isEqualTo(Verdict.NO_DIFFERENCE_SHOWN);
    }

    @Test
    void seedsThatDisagreeShowNothing() throws IOException {
        Suite suite = SyntheticResults.suite(folder, List.of("ours", "rival"), List.of(1, 2));
        List<String> clients = List.of("a", "b", "c", "d", "e", "f", "g");
        SyntheticResults.write(suite, "ours", 1, clients, 1, 1, 1, 1, 1, 1, 1);
        SyntheticResults.write(suite, "rival", 1, clients, 2, 3, 4, 5, 6, 7, 8);
        SyntheticResults.write(suite, "ours", 2, clients, 1, 1, 1, 1, 1, 1, 1.1);
        SyntheticResults.write(suite, "rival", 2, clients, 1, 1, 1, 1, 1, 1, 1);
        Comparison comparison =
                Comparison.of(SuiteResults.ofRuns(suite), SETUP, LOCAL_LOSS).get(0);
        assertThat(comparison.wilcoxonHolm()).isLessThan(Comparison.SIGNIFICANT);
        assertThat(comparison.verdict()).isEqualTo(Verdict.NO_DIFFERENCE_SHOWN);
    }

    @Test
    void onlySeedsThatBothHaveArePaired() throws IOException {
        Suite suite = SyntheticResults.suite(folder, List.of("ours", "rival"), List.of(1, 2, 3));
        SyntheticResults.write(suite, "ours", 1, CLIENTS, 1, 1, 1, 1);
        SyntheticResults.write(suite, "ours", 2, CLIENTS, 9, 9, 9, 9);
        SyntheticResults.write(suite, "rival", 1, CLIENTS, 2, 2, 2, 2);
        SyntheticResults.write(suite, "rival", 3, CLIENTS, 9, 9, 9, 9);
        Comparison comparison =
                Comparison.of(SuiteResults.ofRuns(suite), SETUP, LOCAL_LOSS).get(0);
        assertThat(comparison.seeds()).isEqualTo(1);
        assertThat(comparison.pairs()).isEqualTo(4);
        assertThat(comparison.gain()).isEqualTo(1);
    }

    @Test
    void resultsOfOtherSettingsAreNotCompared() throws IOException {
        Suite suite = SyntheticResults.suite(folder, List.of("ours", "rival"), List.of(1));
        SyntheticResults.write(suite, "ours", 1, CLIENTS, 1, 1, 1, 1);
        Path file = suite.jobs().get(0).experiment().output().resolve("result.json");
        Files.writeString(file, Files.readString(file).replace("\"rounds\" : 1,", "\"rounds\" : 5,"));
        SuiteResults runs = SuiteResults.ofRuns(suite);
        assertThat(runs.results()).isEmpty();
        assertThat(runs.missing()).containsEntry("model/data/ours/seed-1", "was run with rounds 5, not 1");
        Path exported = Files.copy(file, folder.resolve("model-data-ours-seed1.json"));
        assertThatThrownBy(() -> SuiteResults.ofExports(suite, folder))
                .isInstanceOf(BadInputException.class)
                .hasMessage(exported + ": is of a run with rounds 5, not 1; wanted the suite's settings");
        Files.writeString(file, "{\"seconds\": 3}");
        assertThatThrownBy(() -> SuiteResults.ofRuns(suite))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(file + ": no result of an experiment: ");
    }

    private SuiteResults results() throws IOException {
        Suite suite = SyntheticResults.suite(folder, List.of("ours", "near", "far"), List.of(1, 2));
        SyntheticResults.write(suite, "ours", 1, CLIENTS, 1, 1, 1, 1);
        SyntheticResults.write(suite, "near", 1, CLIENTS, 1.10, 1.20, 1.25, 1.05);
        SyntheticResults.write(suite, "far", 1, CLIENTS, 2.1, 2.2, 2.3, 2.4);
        SyntheticResults.write(suite, "ours", 2, CLIENTS, 1.1, 1.1, 1.1, 1.1);
        SyntheticResults.write(suite, "near", 2, CLIENTS, 1.21, 1.22, 1.28, 1.09);
        SyntheticResults.write(suite, "far", 2, CLIENTS, 2.5, 2.6, 2.7, 2.8);
        return SuiteResults.ofRuns(suite);
    }
}
