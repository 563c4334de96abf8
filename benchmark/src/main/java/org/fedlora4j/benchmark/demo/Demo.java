package org.fedlora4j.benchmark.demo;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import org.fedlora4j.benchmark.ExistingRun;
import org.fedlora4j.benchmark.ExperimentFile;
import org.fedlora4j.benchmark.ExperimentRunner;
import org.fedlora4j.benchmark.Metrics;
import org.fedlora4j.benchmark.Result;
import org.fedlora4j.benchmark.ResultTable;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.common.Progress;
import org.fedlora4j.model.exec.NativeThreads;
import org.jspecify.annotations.Nullable;

/**
 * The whole story on the embedded model, without a network: six clients that share a skill and differ in manner are
 * fine-tuned together, then, as a control, each alone. The folder holds, when it is done:
 *
 * <pre>
 *   model/           the base model
 *   clients.jsonl    what the clients know, a line per record; the category is the client
 *   demo.yaml        the experiment, alone.yaml: the control's recipe
 *   together/        the run folder of the experiment, alone/: of the control
 * </pre>
 */
public final class Demo {
    private static final JsonMapper JSON = new JsonMapper();

    private final Path folder;
    private final DemoInputs inputs;
    private final List<String> settings;
    private final PrintWriter out;
    private final Progress progress;

    /**
     * A demo that hasn't been run.
     *
     * @param folder to write; it doesn't exist or is empty
     * @param out for the story
     */
    public Demo(Path folder, PrintWriter out, Progress progress) {
        this(folder, List.of(), out, progress);
    }

    /** With other settings than {@code demo.yaml}'s, as {@link ExperimentFile#load} takes them. */
    Demo(Path folder, List<String> settings, PrintWriter out, Progress progress) {
        this.folder = folder;
        this.inputs = new DemoInputs(folder);
        this.settings = settings;
        this.out = out;
        this.progress = progress;
    }

    /** Tells and runs all of it. */
    public void run() throws IOException {
        List<InstructionRecord> records = prepare();
        tellBeforehand(records);
        Result together = train("together", List.of());
        out.println();
        out.print(ResultTable.text(together.scores()));
        out.printf("%nAs a control, every client trains alone, with as many steps and nothing shared.%n");
        out.flush();
        String recipe =
                "recipe=" + JSON.writeValueAsString(folder.resolve("alone.yaml").toString());
        Result alone = train("alone", List.of(recipe, "evaluate.each-round=nothing"));
        tellAfterwards(together.scores(), alone.scores().local());
        out.printf("%nAll files are in %s%n", folder);
        out.flush();
    }

    /** Writes the model, the clients' records and the experiment. */
    private List<InstructionRecord> prepare() throws IOException {
        inputs.write();
        for (String file : List.of("demo.yaml", "alone.yaml")) {
            try (InputStream in = DemoModel.resource(file)) {
                Files.copy(in, folder.resolve(file));
            }
        }
        return DemoInputs.clients();
    }

    /**
     * Runs the experiment.
     *
     * @param run the name of its run folder
     * @param overrides settings for this run
     */
    private Result train(String run, List<String> overrides) throws IOException {
        List<String> all = new ArrayList<>(settings);
        all.addAll(overrides);
        all.add("model=" + JSON.writeValueAsString(inputs.model().toString()));
        all.add("data.train=" + JSON.writeValueAsString(inputs.records().toString()));
        all.add("output=" + JSON.writeValueAsString(folder.resolve(run).toString()));
        int threads = NativeThreads.get();
        NativeThreads.set(1);
        try {
            return new ExperimentRunner(ExperimentFile.load(folder.resolve("demo.yaml"), all), progress)
                    .run(ExistingRun.REFUSE);
        } finally {
            NativeThreads.set(threads);
        }
    }

    private void tellBeforehand(List<InstructionRecord> records) {
        String question = records.get(0).instruction();
        out.printf("""
                Six clients share a skill: a dictionary, %s, that the base model has never seen. Each trains on 20 of its
                32 words and is tested on the other 12, which only other clients could teach it. No record leaves a client.

                And each client wants its answers in a manner of its own, which no question names. To "%s" they want:

                """, DemoText.NEW_DICTIONARY, question);
        out.print(records.stream()
                .filter(record -> record.instruction().equals(question))
                .map(record -> String.format("  %-8s %s%n", record.category(), record.response()))
                .collect(Collectors.joining()));
        out.print("""

                So the global model can learn the words but not please all. That is what each client's own magnitudes of
                LoRA's B are for, which are trained at home and never sent.
                """);
        out.flush();
    }

    private void tellAfterwards(Result.Scores together, Metrics alone) {
        Metrics base = together.base();
        Metrics global = together.global();
        Metrics local = together.local();
        out.printf(
                Locale.ROOT,
                """

                Sharing: on words that a client never trained on, the loss of the base is %.2f, of a client that trained
                alone %.2f, of the global model %.2f; ROUGE-L is %.2f, %.2f and %.2f.
                Personal: with its own magnitudes a client's loss is %.2f, ROUGE-L %.2f. The right word in the right
                manner is the answer to %.0f %% of the questions: base %.0f %%, alone %.0f %%, global %.0f %%.
                """,
                base.loss(),
                alone.loss(),
                global.loss(),
                value(base.rougeL()),
                value(alone.rougeL()),
                value(global.rougeL()),
                local.loss(),
                value(local.rougeL()),
                100 * value(local.exactMatch()),
                100 * value(base.exactMatch()),
                100 * value(alone.exactMatch()),
                100 * value(global.exactMatch()));
    }

    /** The demo generates text, so the scores that need it are there. */
    private static double value(@Nullable Double score) {
        return Objects.requireNonNull(score);
    }
}
