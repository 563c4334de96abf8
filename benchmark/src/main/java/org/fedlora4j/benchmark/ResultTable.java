package org.fedlora4j.benchmark;

import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.Result.ClientScores;
import org.jspecify.annotations.Nullable;

/** Shows scores as text: a line per client, then the means; each score of the base, the global and the local model. */
public final class ResultTable {
    private static final String MEAN = "mean";
    private static final String WEIGHTED_MEAN = "mean by tests";

    private ResultTable() {}

    @SuppressWarnings("ImmutableEnumChecker") // The functions hold nothing.
    private enum Column {
        LOSS("loss", Metrics::loss),
        TOKEN_ACCURACY("token accuracy", Metrics::tokenAccuracy),
        ROUGE_L("ROUGE-L", Metrics::rougeL);

        private final String title;
        private final Function<Metrics, @Nullable Double> value;

        Column(String title, Function<Metrics, @Nullable Double> value) {
            this.title = title;
            this.value = value;
        }

        String cell(Metrics metrics) {
            Double number = value.apply(metrics);
            return "%8s".formatted(number == null ? "-" : String.format(Locale.ROOT, "%.4f", number));
        }
    }

    /** The table, about 100 characters wide; a dash where no text was generated. */
    public static String text(Result.Scores scores) {
        List<ClientScores> clients = scores.clients();
        int width = Stream.concat(clients.stream().map(ClientScores::id), Stream.of(WEIGHTED_MEAN))
                .mapToInt(String::length)
                .max()
                .orElseThrow();
        String names = "%-" + width + "s %6s ";
        String titles = Stream.of(Column.values())
                .map(column -> "  %-24s".formatted("  " + column.title))
                .collect(Collectors.joining());
        StringBuilder text = new StringBuilder();
        text.append((names.formatted("", "") + titles).stripTrailing()).append('\n');
        text.append(names.formatted("client", "tests"))
                .append("      base  global   local".repeat(Column.values().length))
                .append('\n');
        clients.forEach(client ->
                text.append(names.formatted(client.id(), client.examples())).append(cells(client)));
        int tests = scores.base().examples();
        text.append(names.formatted(MEAN, tests)).append(cells(means(clients, false)));
        text.append(names.formatted(WEIGHTED_MEAN, tests)).append(cells(means(clients, true)));
        return text.toString();
    }

    private static ClientScores means(List<ClientScores> clients, boolean byExamples) {
        return new ClientScores(
                "",
                0,
                Result.Scores.mean(clients, ClientScores::base, byExamples),
                Result.Scores.mean(clients, ClientScores::global, byExamples),
                Result.Scores.mean(clients, ClientScores::local, byExamples));
    }

    private static String cells(ClientScores scores) {
        return Stream.of(Column.values())
                .map(column ->
                        "  " + column.cell(scores.base()) + column.cell(scores.global()) + column.cell(scores.local()))
                .collect(Collectors.joining("", "", "\n"));
    }
}
