package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.fedlora4j.benchmark.scale.StepMemory;
import org.fedlora4j.benchmark.scale.StepTime;
import org.fedlora4j.benchmark.scale.StepWork;
import org.fedlora4j.benchmark.scale.Wire;
import org.fedlora4j.benchmark.speed.Arguments;
import org.fedlora4j.benchmark.speed.MeasuredModel;
import org.fedlora4j.benchmark.speed.Measurement;
import org.fedlora4j.benchmark.speed.StepBenchmark;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.model.Recompute;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Precision;

/** What a model costs, by formulas that are held against training steps of a few sizes: time, memory, bytes on the wire. */
final class Scale {
    private static final String SUBJECT = "fedlora4j";
    private static final int RANK = 8;
    private static final int FEWEST_POINTS = 5;

    /** Of the round whose time is foretold. */
    private static final int ROUND_TOKENS = 256;

    /** Bits a second of the line whose time is shown. */
    private static final double LINE = 10e6;

    private static final List<Point> SHOWN = List.of(
            new Point(1, 256, RANK),
            new Point(1, 512, RANK),
            new Point(1, 1024, RANK),
            new Point(1, 2048, RANK),
            new Point(4, 256, RANK),
            new Point(16, 256, RANK),
            new Point(1, 512, 4),
            new Point(1, 512, 16),
            new Point(1, 512, 64));

    private final LlamaConfig model;
    private final Precision precision;

    /** A step's size. */
    record Point(int batch, int tokens, int rank) {
        /** Reads {@code BATCHxTOKENS} or {@code BATCHxTOKENSxRANK}. */
        static Point parse(String text) {
            if (!text.matches("[1-9]\\d{0,5}x[1-9]\\d{0,5}(x[1-9]\\d{0,5})?")) {
                throw new BadInputException("point: " + text + ", wanted BATCHxTOKENS or BATCHxTOKENSxRANK");
            }
            String[] sizes = text.split("x", -1);
            return new Point(
                    Integer.parseInt(sizes[0]),
                    Integer.parseInt(sizes[1]),
                    sizes.length == 3 ? Integer.parseInt(sizes[2]) : RANK);
        }

        String name() {
            return batch + "x" + tokens + "x" + rank;
        }
    }

    Scale(LlamaConfig model, Precision precision) {
        this.model = model;
        this.precision = precision;
    }

    static void run(String... texts) throws IOException {
        Arguments arguments =
                Arguments.parse(texts, List.of("MODEL"), Session.options("points", "turns", "steps", "precision"));
        Path folder = arguments.path("MODEL");
        String name = "scale-" + folder.getFileName();
        Precision precision =
                Precision.choose(arguments.text("precision", "auto")).precision();
        Session session = new Session(name, new MarkedBlock(Session.root().resolve("docs/scale.md"), name), arguments);
        List<Point> points = new ArrayList<>();
        for (String point : arguments
                .text("points", "1x128,1x256,1x512,1x1024,4x128,1x256x64")
                .split(",", -1)) {
            points.add(Point.parse(point));
        }
        if (points.size() < FEWEST_POINTS) {
            throw new BadInputException("points: " + points.size() + ", wanted at least " + FEWEST_POINTS
                    + ": the formula's three rates are fitted to all but one");
        }
        for (int turn = 1; turn <= arguments.number("turns", 1); turn++) {
            for (Point point : points) {
                session.measure(
                        point.name(),
                        SUBJECT,
                        turn,
                        Command.java(
                                StepBenchmark.class,
                                folder.toString(),
                                Integer.toString(point.batch),
                                Integer.toString(point.tokens),
                                "--rank=" + point.rank,
                                "--precision=" + precision,
                                "--warm-up=" + arguments.number("warm-up", 1),
                                "--steps=" + arguments.number("steps", 3)));
            }
        }
        Scale scale = new Scale(LlamaConfig.read(folder.resolve("config.json")), precision);
        session.finish(scale.report(session.runs(), points));
    }

    /** All tables. */
    String report(Runs runs, List<Point> points) throws IOException {
        List<StepTime.Timed> steps = points.stream()
                .map(point -> new StepTime.Timed(work(point), seconds(runs, point)))
                .toList();
        StepTime time = StepTime.fit(steps);
        return "Formulas and measurements, in " + precision + ":\n\n" + checked(runs, points, steps)
                + "\nSteps of other sizes by the same formulas:\n\n" + steps(time)
                + "\nRounds of `fedlora-optimizer`:\n\n" + rounds(time)
                + "\nBytes that a client sends in a round, and is sent in return:\n\n" + wire();
    }

    /** What is measured beside what the formulas say; that of time is fitted to the other points. */
    private String checked(Runs runs, List<Point> points, List<StepTime.Timed> steps) {
        Table table = new Table(
                0, "batch", "tokens", "rank", "s", "formula", "error", "plan MB", "formula", "error", "anonymous MB");
        List<Double> foretold = StepTime.foretold(steps);
        for (int i = 0; i < points.size(); i++) {
            Point point = points.get(i);
            double seconds = steps.get(i).seconds();
            double plan = value(runs, point, StepBenchmark.PLAN_BYTES);
            double planByFormula = memory(point).bytes(Recompute.NONE);
            table.row(List.of(
                    Integer.toString(point.batch),
                    Integer.toString(point.tokens),
                    Integer.toString(point.rank),
                    Table.number(seconds),
                    Table.number(foretold.get(i)),
                    error(foretold.get(i), seconds),
                    Table.megabytes(plan),
                    Table.megabytes(planByFormula),
                    error(planByFormula, plan),
                    Table.megabytes(value(runs, point, Command.PEAK_ANONYMOUS_BYTES))));
        }
        return table.markdown();
    }

    private String steps(StepTime time) {
        Table table = new Table(
                0,
                "batch",
                "tokens",
                "rank",
                "10^12 operations",
                "s",
                "tokens/s",
                "plan MB",
                "attention recomputed",
                "layers recomputed");
        for (Point point : SHOWN) {
            StepMemory memory = memory(point);
            double seconds = time.seconds(work(point));
            table.row(List.of(
                    Integer.toString(point.batch),
                    Integer.toString(point.tokens),
                    Integer.toString(point.rank),
                    Table.number((work(point).products() + work(point).attention()) / 1e12),
                    Table.number(seconds),
                    Table.number(point.batch * point.tokens / seconds),
                    Table.megabytes(memory.bytes(Recompute.NONE)),
                    Table.megabytes(memory.bytes(Recompute.ATTENTION)),
                    Table.megabytes(memory.bytes(Recompute.LAYER))));
        }
        return table.markdown();
    }

    /** Clients train one after the other on one machine, and all at once on machines of their own. */
    private String rounds(StepTime time) throws IOException {
        Recipe recipe = RecipeFile.load("fedlora-optimizer");
        double training = recipe.stepsPerRound() * time.seconds(work(new Point(1, ROUND_TOKENS, RANK)));
        double sending = 2 * 8 * wire(RANK).bytesPerRound(recipe) / LINE;
        Table table = new Table(0, "clients", "one machine, minutes", "a machine each, minutes");
        for (int clients : new int[] {2, 10, 100}) {
            table.row(List.of(
                    Integer.toString(clients),
                    Table.number(clients * training / 60),
                    Table.number((training + sending) / 60)));
        }
        return table.markdown();
    }

    private String wire() throws IOException {
        Table table = new Table(1, "recipe", "rank 8, MB", "of A and B", "rank 64, MB", "rank 8 at 10 Mbit/s, s");
        for (String name : RecipeFile.BUILT_IN) {
            Recipe recipe = RecipeFile.load(name);
            double bytes = wire(RANK).bytesPerRound(recipe);
            table.row(List.of(
                    name,
                    String.format(Locale.ROOT, "%.2f", bytes / 1e6),
                    Table.percent(bytes / wire(RANK).bytesOfMatrices()),
                    String.format(Locale.ROOT, "%.2f", wire(64).bytesPerRound(recipe) / 1e6),
                    Table.number(8 * bytes / LINE)));
        }
        return table.markdown();
    }

    private StepWork work(Point point) {
        return StepWork.of(model, MeasuredModel.lora(point.rank), precision, point.batch, point.tokens);
    }

    private StepMemory memory(Point point) {
        return StepMemory.of(model, MeasuredModel.lora(point.rank), precision, point.batch, point.tokens);
    }

    private Wire wire(int rank) {
        return Wire.of(model, MeasuredModel.lora(rank));
    }

    private static double seconds(Runs runs, Point point) {
        return runs.median(point.name(), SUBJECT, Measurement::medianMillis) / 1000;
    }

    private static double value(Runs runs, Point point, String name) {
        return runs.median(point.name(), SUBJECT, measured -> measured.values().getOrDefault(name, Double.NaN));
    }

    private static String error(double formula, double measured) {
        return String.format(Locale.ROOT, "%+.1f %%", 100 * (formula / measured - 1));
    }
}
