package org.fedlora4j.benchmark.analysis;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.fedlora4j.benchmark.speed.report.Table;
import org.fedlora4j.federation.Sensitivity;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Part;

/** Shows an analysis as text, which is Markdown: what was compared, what moved, the ratios beside the authors'. */
public final class SensitivityTables {
    private static final String NO_RATIO = "-";

    private final SensitivityAnalysis analysis;
    private final Set<String> undefined = new LinkedHashSet<>();

    private SensitivityTables(SensitivityAnalysis analysis) {
        this.analysis = analysis;
    }

    /** The text; where a ratio is undefined it has a dash, and says why below the tables. */
    public static String text(SensitivityAnalysis analysis) {
        return new SensitivityTables(analysis).text();
    }

    private String text() {
        String tables = compared() + "\n" + moved().aligned() + "\n" + ratios().aligned() + "\n"
                + targets().aligned();
        return undefined.isEmpty()
                ? tables
                : tables + "\n"
                        + undefined.stream().map(line -> "- " + line + "\n").collect(Collectors.joining());
    }

    private String compared() {
        int clients = analysis.clients().size();
        int pairs = clients * (clients - 1) / 2;
        StringBuilder text =
                new StringBuilder("%s, recipe %s: %s compared with each client's adapter, of which there are %d"
                        .formatted(analysis.run(), analysis.recipe().name(), analysis.from(), clients));
        text.append(
                pairs == 0
                        ? ".\n"
                        : ("; and these with each other, pairs: %d. Relative is to the magnitude before; between two"
                                        + " clients to either's, and the mean of both.\n")
                                .formatted(pairs));
        Set<Part> same = analysis.sameByRecipe();
        if (!same.isEmpty()) {
            text.append("By the recipe clients keep ")
                    .append(list(analysis.recipe().privateParts()))
                    .append(" to themselves. Along ")
                    .append(along(analysis.recipe().magnitudeAxis()))
                    .append(", its magnitude axis, ")
                    .append(list(same))
                    .append(" are therefore the same in all of the run's adapters, but for rounding.\n");
        }
        return text.toString();
    }

    private static String list(Set<Part> parts) {
        return parts.isEmpty() ? "nothing" : parts.stream().map(Part::toString).collect(Collectors.joining(", "));
    }

    private Table moved() {
        Table table = new Table(
                3,
                "compared",
                "along",
                "matrix",
                "direction, mean 1 - cos",
                "magnitude, mean change",
                "relative",
                "vectors");
        for (Comparison comparison : analysis.comparisons()) {
            for (MagnitudeAxis axis : MagnitudeAxis.values()) {
                Movement all = comparison.all(axis);
                table.row(cells(comparison, axis, "A", all.a()));
                table.row(cells(comparison, axis, "B", all.b()));
            }
        }
        return table;
    }

    private static List<String> cells(Comparison comparison, MagnitudeAxis axis, String matrix, Sensitivity moved) {
        return List.of(
                comparison.name(),
                along(axis),
                matrix,
                number(moved, moved.direction()),
                number(moved, moved.magnitude()),
                number(moved, moved.relativeMagnitude()),
                String.format(Locale.ROOT, "%,d", moved.vectors()));
    }

    private Table ratios() {
        List<String> titles = new ArrayList<>(List.of("ratio"));
        for (Comparison comparison : analysis.comparisons()) {
            for (MagnitudeAxis axis : MagnitudeAxis.values()) {
                titles.add(comparison.name() + ", " + along(axis));
            }
        }
        titles.add("the authors");
        Table table = new Table(1, titles.toArray(String[]::new));
        table.row(ratioCells("direction, A : B", Movement::direction, Movement.AUTHORS_DIRECTION));
        table.row(ratioCells("magnitude, B : A", Movement::magnitude, Movement.AUTHORS_MAGNITUDE));
        table.row(ratioCells("relative magnitude, B : A", Movement::relativeMagnitude, Movement.AUTHORS_MAGNITUDE));
        return table;
    }

    private List<String> ratioCells(String title, Function<Movement, Ratio> ratio, Number authors) {
        List<String> cells = new ArrayList<>(List.of(title));
        for (Comparison comparison : analysis.comparisons()) {
            for (MagnitudeAxis axis : MagnitudeAxis.values()) {
                cells.add(ratio(comparison, axis, ratio.apply(comparison.all(axis))));
            }
        }
        cells.add(authors.toString());
        return cells;
    }

    private Table targets() {
        Table table = new Table(
                3,
                "compared",
                "along",
                "projection",
                "direction, A : B",
                "magnitude, B : A",
                "relative magnitude, B : A");
        for (Comparison comparison : analysis.comparisons()) {
            for (MagnitudeAxis axis : MagnitudeAxis.values()) {
                for (Map.Entry<String, Movement> target :
                        comparison.targets(axis).entrySet()) {
                    Movement moved = target.getValue();
                    table.row(List.of(
                            comparison.name(),
                            along(axis),
                            target.getKey(),
                            ratio(comparison, axis, moved.direction()),
                            ratio(comparison, axis, moved.magnitude()),
                            ratio(comparison, axis, moved.relativeMagnitude())));
                }
            }
        }
        return table;
    }

    private String ratio(Comparison comparison, MagnitudeAxis axis, Ratio ratio) {
        Double value = ratio.value();
        if (value == null) {
            undefined.add("No ratio, " + comparison.name() + ", " + along(axis) + ": " + ratio.undefined() + ".");
            return NO_RATIO;
        }
        return format(value);
    }

    private static String number(Sensitivity moved, double value) {
        return moved.vectors() == 0 ? NO_RATIO : value == 0 ? "0" : String.format(Locale.ROOT, "%.3g", value);
    }

    /** With three digits that count. */
    private static String format(double ratio) {
        if (ratio == 0) {
            return "0";
        }
        if (ratio < 1e-3) {
            return String.format(Locale.ROOT, "%.1e", ratio);
        }
        int digits = Math.max(0, 2 - (int) Math.floor(Math.log10(ratio)));
        return String.format(Locale.ROOT, "%." + digits + "f", ratio);
    }

    private static String along(MagnitudeAxis axis) {
        return axis == MagnitudeAxis.ROW ? "rows" : "columns";
    }
}
