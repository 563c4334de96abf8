package org.fedlora4j.tests.parity;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.tests.RealModel;

/** SmolLM2-135M-Instruct and what PyTorch, transformers and PEFT make of it: {@code golden/smollm2}. */
final class SmolLm2 {
    private SmolLm2() {}

    /** Unpacks and converts it as a user would; returns the converted folder. */
    static Path convert(Path folder) throws IOException, InterruptedException {
        Path unpacked = folder.resolve("unpacked");
        RealModel.unpack(unpacked);
        Path converted = folder.resolve("converted");
        CheckpointConverter.convert(unpacked, converted, CheckpointConverter.Options.DEFAULT, Progress.none());
        return converted;
    }

    static TokenBatch select(TokenBatch batch, int[] rows) {
        int[][] ids = Arrays.stream(rows).mapToObj(row -> batch.ids()[row]).toArray(int[][]::new);
        int[][] labels =
                Arrays.stream(rows).mapToObj(row -> batch.labels()[row]).toArray(int[][]::new);
        return new TokenBatch(ids, labels, batch.padId());
    }

    static Reference sft() throws IOException {
        return new Reference(Reference.golden("smollm2/sft.safetensors"));
    }

    static JsonNode json(String name) throws IOException {
        return new ObjectMapper().readTree(Reference.golden("smollm2/" + name).toFile());
    }

    static int[] ids(JsonNode array) {
        int[] ids = new int[array.size()];
        Arrays.setAll(ids, i -> array.get(i).intValue());
        return ids;
    }

    static float[] floats(JsonNode array) {
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).floatValue();
        }
        return values;
    }
}
