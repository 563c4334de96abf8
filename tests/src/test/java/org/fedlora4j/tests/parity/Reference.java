package org.fedlora4j.tests.parity;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.weights.SafetensorsFile;

/** A golden safetensors file: what PyTorch made of a batch. */
final class Reference implements AutoCloseable {
    private static final Path GOLDEN = Path.of(System.getProperty("fedlora.shared"), "golden");

    private final SafetensorsFile file;

    Reference(Path path) throws IOException {
        file = SafetensorsFile.open(path);
    }

    /** A file or folder of {@code golden}. */
    static Path golden(String name) {
        Path path = GOLDEN.resolve(name);
        if (!Files.exists(path)) {
            throw new AssertionError(path + " is missing");
        }
        return path;
    }

    float[] floats(String name) throws IOException {
        return file.floats(name);
    }

    int[] ints(String name) throws IOException {
        return Arrays.stream(file.longs(name)).mapToInt(Math::toIntExact).toArray();
    }

    Set<String> names() {
        return file.tensors().keySet();
    }

    /** The file's batch, its rows cut to their own lengths. */
    TokenBatch batch(int padId) throws IOException {
        int rows = Math.toIntExact(file.tensor("input_ids").shape()[0]);
        int tokens = Math.toIntExact(file.tensor("input_ids").shape()[1]);
        int[] ids = ints("input_ids");
        int[] labels = ints("labels");
        int[] mask = ints("attention_mask");
        int[][] rowIds = new int[rows][];
        int[][] rowLabels = new int[rows][];
        for (int row = 0; row < rows; row++) {
            int begin = row * tokens;
            int length = Arrays.stream(mask, begin, begin + tokens).sum();
            rowIds[row] = Arrays.copyOfRange(ids, begin, begin + length);
            rowLabels[row] = Arrays.copyOfRange(labels, begin, begin + length);
        }
        return new TokenBatch(rowIds, rowLabels, padId);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
