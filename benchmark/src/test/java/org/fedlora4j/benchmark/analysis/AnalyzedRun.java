package org.fedlora4j.benchmark.analysis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.PeftAdapter;

/**
 * The folder of a run whose adapters are small enough for arithmetic by hand: rank 1 on the query projections [2, 2] of
 * two layers, so that A [1, 2] has one row and two columns of one number, and B [2, 1] the other way round.
 */
record AnalyzedRun(Path path) {
    private static final LoraConfig CONFIG = LoraConfig.of(1, 2, "q_proj");

    /** Writes model and experiment, no adapters yet. */
    static AnalyzedRun create(Path folder, String recipe) throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        Files.writeString(model.resolve("config.json"), """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 2,
                 "intermediate_size": 4, "num_hidden_layers": 2, "num_attention_heads": 1,
                 "num_key_value_heads": 1, "vocab_size": 5, "max_position_embeddings": 8, "rms_norm_eps": 1e-5,
                 "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": false}
                """);
        Path run = Files.createDirectory(folder.resolve("run"));
        Files.writeString(run.resolve("experiment.yaml"), """
                model: %s
                output: %s
                recipe: %s
                data: {train: data.jsonl, partition: {by: category}}
                """.formatted(model, run, recipe));
        return new AnalyzedRun(run);
    }

    /** Adds {@code global} or {@code client-x}. */
    AnalyzedRun with(String name, LoraPair... layers) throws IOException {
        PeftAdapter.write(
                adapter(CONFIG, "q_proj", layers), path.resolve("adapters").resolve(name), "m");
        return this;
    }

    static AdapterState adapter(LoraConfig config, String target, LoraPair... layers) {
        SortedMap<String, LoraPair> modules = new TreeMap<>();
        for (int layer = 0; layer < layers.length; layer++) {
            modules.put(LoraConfig.path(layer, target), layers[layer]);
        }
        return new AdapterState(config, modules);
    }

    /** A [1, 2] and B [2, 1]. */
    static LoraPair pair(float a0, float a1, float b0, float b1) {
        return new LoraPair(Matrix.of(1, 2, a0, a1), Matrix.of(2, 1, b0, b1));
    }

    /**
     * The shared adapter, client x's and client y's, which is the shared one. From the shared one to x:
     *
     * <pre>
     *   layer 0  A (3, 4) -> (8, 6)   row: 5 -> 10, cos 48/50; columns: 3 -> 8, 4 -> 6
     *            B (3, 4) -> (8, -6)  rows: 3 -> 8, 4 -> 6 turned round; column: 5 -> 10, cos 0
     *   layer 1  A (1, 0) -> (0, 2)   row: 1 -> 2, cos 0; columns: each zero before or after
     *            B (2, 0) -> (2, 5)   rows: unmoved, zero before
     * </pre>
     */
    AnalyzedRun withTwoClients() throws IOException {
        LoraPair[] shared = {pair(3, 4, 3, 4), pair(1, 0, 2, 0)};
        return with("global", shared)
                .with("client-x", pair(8, 6, 8, -6), pair(0, 2, 2, 5))
                .with("client-y", shared);
    }
}
