package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.fedlora4j.benchmark.speed.Arguments;
import org.fedlora4j.benchmark.speed.Measurement;
import org.fedlora4j.benchmark.speed.RoundBenchmark;
import org.fedlora4j.benchmark.speed.StepBenchmark;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Precision;

/** How time and memory grow with tokens, batch, rank, layers and clients: one size grows, the others stay. */
final class Growth {
    private static final String SUBJECT = "fedlora4j";
    private static final String LAYERS = "layers";
    private static final int LAYER_STEP = 5;

    private final Session session;
    private final String model;
    private final Precision precision;
    private final String warmUp;
    private final int turns;
    private final Instant end;

    /**
     * One size.
     *
     * @param name what grows, in a word
     * @param others the sizes that stay
     * @param step what is timed
     */
    record Axis(String name, String others, String step, List<Integer> sizes) {
        String point(int size) {
            return name + " " + size;
        }

        Axis where(Predicate<Integer> chosen) {
            return new Axis(name, others, step, sizes.stream().filter(chosen).toList());
        }

        String picture() {
            return "growth-" + name + ".png";
        }
    }

    /** Begins no measurement after the option {@code minutes}. */
    private Growth(Session session, Arguments arguments) {
        this.session = session;
        this.model = arguments.text("MODEL");
        this.precision = Precision.choose(arguments.text("precision", "auto")).precision();
        this.warmUp = "--warm-up=" + arguments.number("warm-up", 4);
        this.turns = arguments.number("turns", 3);
        this.end = Instant.now().plus(Duration.ofMinutes(arguments.number("minutes", 10)));
    }

    static void run(String... texts) throws IOException {
        Arguments arguments =
                Arguments.parse(texts, List.of("MODEL"), Session.options("turns", "precision", "minutes"));
        new Growth(new Session("growth", MarkedBlock.inPerformance("growth"), arguments), arguments)
                .run(axes(layers(arguments.path("MODEL"))));
    }

    private static int layers(Path model) throws IOException {
        return LlamaConfig.read(model.resolve("config.json")).layers();
    }

    private static List<Axis> axes(int layers) {
        List<Integer> depths = new ArrayList<>();
        for (int depth = LAYER_STEP; depth <= layers; depth += LAYER_STEP) {
            depths.add(depth);
        }
        return List.of(
                new Axis("tokens", "batch 1, rank 8", "step", List.of(128, 256, 512, 1024, 2048)),
                new Axis("batch", "128 tokens a row, rank 8", "step", List.of(1, 2, 4, 8)),
                new Axis("rank", "batch 1x128", "step", List.of(4, 8, 16, 32, 64)),
                new Axis(LAYERS, "batch 1x256, rank 8", "step", depths),
                new Axis("clients", "a step of 1x128 in each of three phases", "round", List.of(1, 2, 4, 8)));
    }

    private void run(List<Axis> axes) throws IOException {
        Path folder = Files.createTempDirectory("truncated");
        try {
            for (int turn = 1; turn <= turns; turn++) {
                for (Axis axis : axes) {
                    for (int size : axis.sizes()) {
                        measure(axis, size, turn, folder);
                    }
                }
            }
        } finally {
            AtomicFiles.deleteRecursively(folder);
        }
        List<Axis> measured = axes.stream()
                .map(axis -> axis.where(size -> isMeasured(axis, size)))
                .filter(axis -> !axis.sizes().isEmpty())
                .toList();
        List<String> leftOut = axes.stream()
                .flatMap(axis -> axis.where(size -> !isMeasured(axis, size)).sizes().stream()
                        .map(axis::point))
                .toList();
        for (Axis axis : measured) {
            writePicture(axis);
        }
        session.finish(
                "%sTraining steps of %s in %s; medians of a few steps in processes of their own, of up to %d turn(s).%s"
                        .formatted(
                                tables(session.runs(), measured),
                                Path.of(model).getFileName(),
                                precision,
                                turns,
                                leftOut.isEmpty() ? "" : " Not measured, for the time was up: " + leftOut + "."));
    }

    private boolean isMeasured(Axis axis, int size) {
        return session.runs().has(axis.point(size), SUBJECT);
    }

    private void measure(Axis axis, int size, int turn, Path folder) throws IOException {
        String point = axis.point(size);
        if (Instant.now().isAfter(end)) {
            return;
        }
        boolean cut = axis.name().equals(LAYERS);
        if (cut) {
            TruncatedModel.write(Path.of(model), size, folder.resolve(LAYERS));
        }
        Command command = command(axis.name(), cut ? folder.resolve(LAYERS).toString() : model, size);
        session.measure(point, SUBJECT, turn, command);
    }

    private Command command(String axis, String folder, int size) {
        String grown = Integer.toString(size);
        return switch (axis) {
            case "tokens" -> step(folder, "1", grown, "8");
            case "batch" -> step(folder, grown, "128", "8");
            case "rank" -> step(folder, "1", "128", grown);
            case LAYERS -> step(folder, "1", "256", "8");
            default ->
                Command.java(RoundBenchmark.class, folder, grown, "1", "128", "--precision=" + precision, warmUp);
        };
    }

    private Command step(String folder, String batch, String tokens, String rank) {
        return Command.java(
                StepBenchmark.class,
                folder,
                batch,
                tokens,
                "--rank=" + rank,
                "--precision=" + precision,
                warmUp,
                "--steps=5");
    }

    private void writePicture(Axis axis) throws IOException {
        GrowthPicture.write(
                session.pictures().resolve(axis.picture()),
                axis.name(),
                axis.sizes().stream().map(Integer::doubleValue).toList(),
                axis.step(),
                axis.sizes().stream()
                        .map(size -> session.runs().median(axis.point(size), SUBJECT, Measurement::medianMillis))
                        .toList(),
                axis.sizes().stream()
                        .map(size -> session.runs().median(axis.point(size), SUBJECT, Measurement::peakBytes) / 1e6)
                        .toList());
    }

    private static double compileMillis(Measurement measurement) {
        return measurement.values().getOrDefault(StepBenchmark.COMPILE_MILLIS, Double.NaN);
    }

    /** A picture and a table for each size. */
    static String tables(Runs runs, List<Axis> axes) {
        StringBuilder text = new StringBuilder();
        for (Axis axis : axes) {
            List<String> columns = new ArrayList<>(List.of(axis.name(), axis.step() + " ms", "tokens/s", "peak MB"));
            boolean compiles = axis.name().equals(LAYERS);
            if (compiles) {
                columns.add("compile ms");
            }
            Table table = new Table(0, columns.toArray(String[]::new));
            for (int size : axis.sizes()) {
                String point = axis.point(size);
                List<String> row = new ArrayList<>(List.of(
                        Integer.toString(size),
                        Table.number(runs.median(point, SUBJECT, Measurement::medianMillis)),
                        Table.number(runs.median(point, SUBJECT, Measurement::tokensPerSecond)),
                        Table.megabytes(runs.median(point, SUBJECT, Measurement::peakBytes))));
                if (compiles) {
                    row.add(Table.number(runs.median(point, SUBJECT, Growth::compileMillis)));
                }
                table.row(row);
            }
            text.append("### By ")
                    .append(axis.name())
                    .append("\n\n")
                    .append(axis.others())
                    .append(":\n\n![time and memory by ")
                    .append(axis.name())
                    .append("](images/performance/")
                    .append(axis.picture())
                    .append(")\n\n")
                    .append(table.markdown())
                    .append('\n');
        }
        return text.toString();
    }
}
