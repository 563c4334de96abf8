package org.fedlora4j.lora;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.weights.SafetensorsFile;

/** A small golden model with an adapter for all seven projections, and a batch for it. */
final class Toy {
    static final Path FOLDER = Path.of(System.getProperty("fedlora.shared"), "golden", "toy", "gqa-tied-bf16");

    private Toy() {}

    static LanguageModel model() throws IOException {
        return LanguageModel.open(FOLDER);
    }

    static AdapterState adapter(LanguageModel model) throws IOException {
        return PeftAdapter.read(FOLDER.resolve("adapter"), model.config());
    }

    /** Two texts of different lengths. */
    static TokenBatch batch() throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(FOLDER.resolve("reference.safetensors"))) {
            int[] ids = Arrays.stream(file.longs("input_ids"))
                    .mapToInt(Math::toIntExact)
                    .toArray();
            int[][] rows = {Arrays.copyOfRange(ids, 0, 12), Arrays.copyOfRange(ids, 3, 9)};
            return new TokenBatch(rows, rows, 0);
        }
    }
}
