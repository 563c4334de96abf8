package org.fedlora4j.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.assertj.core.data.Offset;
import org.fedlora4j.benchmark.Metrics.ExampleScore;
import org.fedlora4j.benchmark.Metrics.ResponseScore;
import org.fedlora4j.benchmark.Result.ClientScores;
import org.fedlora4j.model.Score;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ScoresTest {
    private static final Offset<Double> EXACT = within(1e-12);

    private static final Result.Scores SCORES = Result.Scores.of(
            List.of(
                    new ClientScores("a", 2, metrics(9, 0.0, 2), metrics(1, 0.5, 2), metrics(4, 0.2, 2)),
                    new ClientScores("b", 6, metrics(9, 0.0, 6), metrics(2, 0.1, 6), metrics(4, 0.4, 6)),
                    new ClientScores("c", 2, metrics(9, 0.0, 2), metrics(6, 0.3, 2), metrics(1, 0.2, 2))),
            null);

    /** Plain: (1 + 2 + 6) / 3 and (0.5 + 0.1 + 0.3) / 3; by examples: (2 + 12 + 12) / 10 and (1 + 0.6 + 0.6) / 10. */
    @Test
    void meansArePlainAndByExamples() {
        Metrics plain = SCORES.plainMeans().global();
        assertThat(plain.loss()).isCloseTo(3, EXACT);
        assertThat(plain.perplexity()).isCloseTo(Math.exp(3), EXACT);
        assertThat(plain.rougeL()).isCloseTo(0.3, EXACT);
        assertThat(plain.examples()).isEqualTo(10);
        assertThat(SCORES.global().loss()).isCloseTo(2.6, EXACT);
        assertThat(SCORES.global().rougeL()).isCloseTo(0.22, EXACT);
        // (4 + 4 + 1) / 3 and (8 + 24 + 2) / 10.
        assertThat(SCORES.plainMeans().local().loss()).isCloseTo(3, EXACT);
        assertThat(SCORES.local().loss()).isCloseTo(3.4, EXACT);
    }

    /** Global losses: sqrt((4 + 1 + 9) / 2); ROUGE-L: sqrt((0.04 + 0.04 + 0) / 2). Local losses: sqrt((1 + 1 + 4) / 2). */
    @Test
    void spreadIsTheStandardDeviationOverClients() {
        Spread global = SCORES.spread().global();
        assertThat(global.loss()).isCloseTo(Math.sqrt(7), EXACT);
        assertThat(global.rougeL()).isCloseTo(0.2, EXACT);
        // Half and double of ROUGE-L: see metrics().
        assertThat(global.rouge2()).isCloseTo(0.1, EXACT);
        assertThat(global.rouge1()).isCloseTo(0.4, EXACT);
        // e, e^2, e^6: mean m, then sqrt of the sum of squares over 2.
        double m = (Math.exp(1) + Math.exp(2) + Math.exp(6)) / 3;
        double squares = Math.pow(Math.exp(1) - m, 2) + Math.pow(Math.exp(2) - m, 2) + Math.pow(Math.exp(6) - m, 2);
        assertThat(global.perplexity()).isCloseTo(Math.sqrt(squares / 2), within(1e-9));
        assertThat(SCORES.spread().local().loss()).isCloseTo(Math.sqrt(3), EXACT);
        assertThat(SCORES.spread().base().loss()).isZero();
    }

    /** Of clients a and b with the same local loss, a; of a and c with the same ROUGE-L, a. */
    @Test
    void theWorstClientHasTheHighestLossOrTheLowestRouge() {
        assertThat(SCORES.worst().global()).isEqualTo(new Worst(new Worst.Client("c", 6), new Worst.Client("b", 0.1)));
        assertThat(SCORES.worst().local()).isEqualTo(new Worst(new Worst.Client("a", 4), new Worst.Client("a", 0.2)));
    }

    @Test
    void oneClientHasNoSpreadAndWithoutTextThereIsNoRouge() {
        Metrics silent = metrics(1, null, 2);
        Result.Scores scores = Result.Scores.of(List.of(new ClientScores("a", 2, silent, silent, silent)), null);
        assertThat(scores.spread().global()).isEqualTo(new Spread(null, null, null, null, null, null, null));
        assertThat(scores.worst().global()).isEqualTo(new Worst(new Worst.Client("a", 1), null));
        assertThat(scores.global().rouge1()).isNull();
        assertThat(scores.global().rouge2()).isNull();
        assertThat(ResultTable.text(scores).lines())
                .element(2)
                .asString()
                .containsPattern("a +2 +1\\.0000 +1\\.0000 +1\\.0000 +0\\.5000 .* - +- +-");
    }

    /** Two examples of 1 and 3 targets: the loss is by targets, (2 + 1) / 4, all else by examples. */
    @Test
    void aClientsScoresAreMeansOverItsExamples() {
        Metrics metrics = Metrics.of(List.of(
                new ExampleScore(new Score(2, 1, 1), new ResponseScore(0.8, 0.4, 0.6, 1)),
                new ExampleScore(new Score(1, 3, 1), new ResponseScore(0.4, 0.2, 0.4, 0))));
        assertThat(metrics.loss()).isCloseTo(0.75, EXACT);
        assertThat(metrics.tokenAccuracy()).isCloseTo(0.5, EXACT);
        assertThat(metrics.rouge1()).isCloseTo(0.6, EXACT);
        assertThat(metrics.rouge2()).isCloseTo(0.3, EXACT);
        assertThat(metrics.rougeL()).isCloseTo(0.5, EXACT);
        assertThat(metrics.exactMatch()).isCloseTo(0.5, EXACT);
        assertThat(metrics.examples()).isEqualTo(2);
    }

    @Test
    void theTableShowsFairnessAndUnseenClientsApart() {
        ClientScores newcomer =
                new ClientScores("newcomer", 5, metrics(9, 0.0, 5), metrics(20, 0.5, 5), metrics(15, 0.6, 5));
        Result.Scores scores = Result.Scores.of(SCORES.clients(), Result.Scores.of(List.of(newcomer), null));
        assertThat(scores.global()).as("without the newcomer").isEqualTo(SCORES.global());
        assertThat(scores.plainMeans()).isEqualTo(SCORES.plainMeans());
        assertThat(scores.spread()).isEqualTo(SCORES.spread());
        assertThat(ResultTable.text(scores)
                        .lines()
                        .map(line -> line.replaceAll("  +", " ").strip()))
                .containsExactly(
                        "loss token accuracy ROUGE-L",
                        "client tests base global local base global local base global local",
                        "a 2 9.0000 1.0000 4.0000 0.5000 0.5000 0.5000 0.0000 0.5000 0.2000",
                        "b 6 9.0000 2.0000 4.0000 0.5000 0.5000 0.5000 0.0000 0.1000 0.4000",
                        "c 2 9.0000 6.0000 1.0000 0.5000 0.5000 0.5000 0.0000 0.3000 0.2000",
                        "mean 10 9.0000 3.0000 3.0000 0.5000 0.5000 0.5000 0.0000 0.3000 0.2667",
                        "mean by tests 10 9.0000 2.6000 3.4000 0.5000 0.5000 0.5000 0.0000 0.2200 0.3200",
                        "worst client 9.0000 6.0000 4.0000 0.5000 0.5000 0.5000 0.0000 0.1000 0.2000",
                        "std over clients 0.0000 2.6458 1.7321 0.0000 0.0000 0.0000 0.0000 0.2000 0.1155",
                        "",
                        "unseen client tests base global local base global local base global local",
                        "newcomer 5 9.0000 20.0000 15.0000 0.5000 0.5000 0.5000 0.0000 0.5000 0.6000",
                        "mean 5 9.0000 20.0000 15.0000 0.5000 0.5000 0.5000 0.0000 0.5000 0.6000",
                        "mean by tests 5 9.0000 20.0000 15.0000 0.5000 0.5000 0.5000 0.0000 0.5000 0.6000",
                        "worst client 9.0000 20.0000 15.0000 0.5000 0.5000 0.5000 0.0000 0.5000 0.6000",
                        "std over clients - - - - - - - - -");
    }

    /** With a ROUGE-1 of twice and a ROUGE-2 of half the ROUGE-L. */
    private static Metrics metrics(double loss, @Nullable Double rougeL, int examples) {
        return new Metrics(
                loss,
                Math.exp(loss),
                0.5,
                rougeL == null ? null : 2 * rougeL,
                rougeL == null ? null : rougeL / 2,
                rougeL,
                rougeL == null ? null : 0.0,
                examples);
    }
}
