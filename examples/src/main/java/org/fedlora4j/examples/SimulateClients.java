package org.fedlora4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.fedlora4j.benchmark.demo.DemoInputs;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.StateFolder;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.spark.SparkEngine;
import org.fedlora4j.tokenizer.Tokenizer;

/**
 * Simulates many clients on Spark, with the demo's model, of which 5 % take part in each round: {@code SimulateClients TASKS
 * OUTPUT CLIENTS ROUNDS}. TASKS is a folder of Natural Instructions' tasks. On a cluster both folders are at the same path
 * on every machine, and OUTPUT is shared by all.
 */
public final class SimulateClients {
    private SimulateClients() {}

    public static void main(String[] arguments) throws IOException {
        // Executors work in folders of their own.
        Path tasks = Path.of(arguments[0]).toAbsolutePath();
        Path output = Path.of(arguments[1]).toAbsolutePath();
        DemoInputs demo = new DemoInputs(output);
        demo.write();
        TaskClients clients =
                new TaskClients(tasks.toString(), demo.model().toString(), Integer.parseInt(arguments[2]));
        System.out.printf("%d clients, each with a draw from one of %d tasks%n", clients.count(), clients.tasks());

        int padId;
        try (Tokenizer tokenizer = Tokenizer.open(demo.model())) {
            padId = tokenizer.padId();
        }
        Federation.Settings settings = new Federation.Settings(
                LoraConfig.of(8, 16, "q_proj", "v_proj"),
                RecipeFile.load("fedlora-optimizer"),
                Integer.parseInt(arguments[3]),
                4,
                4,
                padId,
                1,
                0.05);
        SparkConf conf = new SparkConf().setAppName("fedlora4j").setIfMissing("spark.master", "local[2]");
        try (JavaSparkContext spark = new JavaSparkContext(conf);
                Federation federation = new Federation(
                        LlamaConfig.read(demo.model().resolve("config.json")),
                        settings,
                        new SparkEngine(
                                spark,
                                demo.model(),
                                LanguageModel.Settings.DEFAULT,
                                settings,
                                clients,
                                output.resolve("clients")))) {
            // Run it again after an interruption, and it goes on from the latest state.
            federation.run(new Table(), new StateFolder(output.resolve("state")));
            PeftAdapter.write(
                    federation.global(), output.resolve("global"), demo.model().toString());
        }
    }

    /** Prints a row for each round, and how long of it the driver was busy and the executors waited. */
    private static final class Table implements RunListener {
        private final Set<String> seen = new TreeSet<>();
        private long roundBegan = System.nanoTime();
        private long driverBegan;
        private long driverNanos;

        Table() {
            System.out.printf(
                    "%-12s %8s %8s %9s %9s %10s %8s %8s%n",
                    "round", "clients", "so far", "loss", "tokens", "KB/client", "seconds", "driver");
        }

        @Override
        public void phaseStarted(RoundContext context) {
            driverBegan = 0;
        }

        @Override
        public void updateSent(RoundContext context, SharedUpdate update) {
            if (driverBegan == 0) {
                driverBegan = System.nanoTime();
            }
        }

        @Override
        public void phaseEnded(RoundContext context, PhaseResult result) {
            driverNanos += System.nanoTime() - driverBegan;
        }

        @Override
        public void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) {
            PhaseResult first = phases.get(0);
            seen.addAll(first.clients().keySet());
            System.out.printf(
                    Locale.ROOT,
                    "%-12s %8d %8d %9.4f %9d %10.1f %8.1f %8.2f%n",
                    context.label(),
                    first.clients().size(),
                    seen.size(),
                    first.loss(),
                    phases.stream().mapToLong(PhaseResult::tokens).sum(),
                    phases.stream().mapToLong(PhaseResult::bytesUp).sum() / 1e3,
                    (System.nanoTime() - roundBegan) / 1e9,
                    driverNanos / 1e9);
            roundBegan = System.nanoTime();
            driverNanos = 0;
        }
    }
}
