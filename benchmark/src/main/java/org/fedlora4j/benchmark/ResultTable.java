package org.fedlora4j.benchmark;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.Result.ClientScores;
import org.fedlora4j.benchmark.Result.Models;
import org.jspecify.annotations.Nullable;

/**
 * Shows scores as text: a line per client, then the means, the worst client's and the standard deviation over clients;
 * each score of the base, the global and the local model. Clients that took no part in training are a table of their
 * own below.
 */
public final class ResultTable {
    private static final List<Column> COLUMNS = List.of(Column.values());
    private static final String DEVIATION = "std over clients";

    private ResultTable() {}

    @SuppressWarnings("ImmutableEnumChecker") // The functions hold nothing.
    private enum Column {
        LOSS("loss", Metrics::loss, Comparator.reverseOrder()),
        TOKEN_ACCURACY("token accuracy", Metrics::tokenAccuracy, Comparator.naturalOrder()),
        ROUGE_L("ROUGE-L", Metrics::rougeL, Comparator.naturalOrder());

        private final String title;
        private final Function<Metrics, @Nullable Double> value;
        private final Comparator<Double> worstFirst;

        Column(String title, Function<Metrics, @Nullable Double> value, Comparator<Double> worstFirst) {
            this.title = title;
            this.value = value;
            this.worstFirst = worstFirst;
        }

        @Nullable
        Double worst(List<Metrics> clients) {
            return clients.stream()
                    .map(value)
                    .filter(Objects::nonNull)
                    .min(worstFirst)
                    .orElse(null);
        }
    }

    /** The table, about 100 characters wide; a dash where no text was generated, or only one client has a score. */
    public static String text(Result.Scores scores) {
        Result.Scores unseen = scores.unseen();
        Stream<ClientScores> all =
                Stream.concat(scores.clients().stream(), unseen == null ? Stream.of() : unseen.clients().stream());
        int width = Stream.concat(all.map(ClientScores::id), Stream.of(DEVIATION))
                .mapToInt(String::length)
                .max()
                .orElseThrow();
        String names = "%-" + width + "s %6s ";
        String titles = COLUMNS.stream()
                .map(column -> "  %-24s".formatted("  " + column.title))
                .collect(Collectors.joining());
        String table = (names.formatted("", "") + titles).stripTrailing() + "\n" + block(names, "client", scores);
        return unseen == null ? table : table + "\n" + block(names, "unseen client", unseen);
    }

    /** Clients and what comes of them. */
    private static String block(String names, String title, Result.Scores scores) {
        StringBuilder text = new StringBuilder();
        text.append(names.formatted(title, "tests"))
                .append("      base  global   local".repeat(COLUMNS.size()))
                .append('\n');
        for (ClientScores client : scores.clients()) {
            Models<Metrics> models = new Models<>(client.base(), client.global(), client.local());
            text.append(names.formatted(client.id(), client.examples()))
                    .append(cells(column -> models.map(column.value)));
        }
        int tests = scores.base().examples();
        Models<Metrics> weighted = new Models<>(scores.base(), scores.global(), scores.local());
        text.append(names.formatted("mean", tests))
                .append(cells(column -> scores.plainMeans().map(column.value)));
        text.append(names.formatted("mean by tests", tests)).append(cells(column -> weighted.map(column.value)));
        Models<List<Metrics>> clients = Result.Scores.byModel(scores.clients());
        text.append(names.formatted("worst client", "")).append(cells(column -> clients.map(column::worst)));
        text.append(names.formatted(DEVIATION, ""))
                .append(cells(column -> clients.map(each -> Spread.deviation(each, column.value))));
        return text.toString();
    }

    private static String cells(Function<Column, Models<@Nullable Double>> values) {
        return COLUMNS.stream()
                .map(values)
                .map(models -> "  " + cell(models.base()) + cell(models.global()) + cell(models.local()))
                .collect(Collectors.joining("", "", "\n"));
    }

    private static String cell(@Nullable Double number) {
        return "%8s".formatted(number == null ? "-" : String.format(Locale.ROOT, "%.4f", number));
    }
}
