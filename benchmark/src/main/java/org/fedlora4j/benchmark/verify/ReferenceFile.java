package org.fedlora4j.benchmark.verify;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.weights.SafetensorsFile;

/**
 * A safetensors file with a batch and what another implementation made of it:
 *
 * <ul>
 *   <li>{@code input_ids}, {@code attention_mask}, {@code labels} I64 [B, T], padded to the right;
 *   <li>{@code logits} F32 [B, T, V], {@code loss} F32 [1]; those of the decomposition by columns with {@code column.}
 *       before them;
 *   <li>{@code hidden.0} (embedding) to {@code hidden.L} (after the last layer), {@code hidden.final} (after the final
 *       norm) F32 [B, T, D];
 *   <li>{@code grad.<key>} F32: the gradient of the loss by an adapter's matrix, named by PEFT's key, or by a part of its
 *       decomposition, {@code grad.<module>.lora_A.direction} or {@code .magnitude}; by columns {@code column.grad.…}.
 * </ul>
 */
public final class ReferenceFile implements AutoCloseable {
    static final String COLUMN = "column.";
    static final String LOGITS = "logits";
    static final String LOSS = "loss";
    static final String HIDDEN = "hidden.";
    static final String GRADIENT = "grad.";

    private static final String IDS = "input_ids";
    private static final String MASK = "attention_mask";
    private static final String LABELS = "labels";

    /** Known, and not compared. */
    private static final Set<String> IGNORED = Set.of(IDS, MASK, LABELS, "example_loss", "example_targets");

    private static final Pattern COMPARED =
            Pattern.compile("(column\\.)?(logits|loss|grad\\..+)|hidden\\.(final|0|[1-9][0-9]{0,5})");

    private final SafetensorsFile file;
    private final List<String> compared = new ArrayList<>();
    private final int rows;
    private final int tokens;

    /**
     * Opens a reference.
     *
     * @throws BadInputException if it has an unknown tensor, nothing to compare, or no sound batch
     */
    public ReferenceFile(Path path) throws IOException {
        file = SafetensorsFile.open(path);
        try {
            for (String name : file.tensors().keySet()) {
                if (COMPARED.matcher(name).matches()) {
                    compared.add(name);
                } else if (!IGNORED.contains(name)) {
                    throw unknown(name);
                }
            }
            if (compared.isEmpty()) {
                throw new BadInputException(path + ": nothing to compare; wanted logits, loss, hidden.N or grad.NAME");
            }
            long[] shape = file.tensor(IDS).shape();
            if (shape.length != 2 || shape[0] < 1 || shape[1] < 1 || shape[0] * shape[1] > Integer.MAX_VALUE) {
                throw wrongShape(IDS, "[rows, tokens]");
            }
            rows = (int) shape[0];
            tokens = (int) shape[1];
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** The names of the tensors to compare, by name. */
    List<String> compared() {
        return compared.stream().sorted().toList();
    }

    int rows() {
        return rows;
    }

    /** Tokens of a row with its padding. */
    int tokens() {
        return tokens;
    }

    /** Values of an F32 tensor, whose shape is checked. */
    float[] floats(String name, long... shape) throws IOException {
        if (!Arrays.equals(file.tensor(name).shape(), shape)) {
            throw wrongShape(name, Arrays.toString(shape));
        }
        return file.floats(name);
    }

    BadInputException unknown(String name) {
        return new BadInputException(
                file.path() + ": " + name + " is unknown; wanted a tensor of this model and its adapter");
    }

    /**
     * The batch, its rows cut to their own lengths.
     *
     * @param whole whether it must be as wide as the reference: then a row of padding is added where need be
     * @throws BadInputException if a row is not padded to the right, or an id is not in the vocabulary
     */
    TokenBatch batch(int vocabularySize, boolean whole) throws IOException {
        long[] ids = integers(IDS);
        long[] mask = integers(MASK);
        long[] labels = file.tensors().containsKey(LABELS) ? integers(LABELS) : ignored(ids.length);
        int[][] rowIds = new int[rows][];
        int[][] rowLabels = new int[rows][];
        int padId = 0;
        for (int row = 0; row < rows; row++) {
            int begin = row * tokens;
            int length = length(row, mask);
            rowIds[row] = new int[length];
            rowLabels[row] = new int[length];
            for (int i = 0; i < length; i++) {
                rowIds[row][i] = id(IDS, row, ids[begin + i], vocabularySize);
                long label = labels[begin + i];
                rowLabels[row][i] =
                        label == TokenBatch.IGNORED ? TokenBatch.IGNORED : id(LABELS, row, label, vocabularySize);
            }
            for (int i = length; i < tokens; i++) {
                padId = id(IDS, row, ids[begin + i], vocabularySize);
                if (labels[begin + i] != TokenBatch.IGNORED) {
                    throw wrong(LABELS, row, "has a target in the padding; wanted " + TokenBatch.IGNORED);
                }
            }
        }
        TokenBatch batch = new TokenBatch(rowIds, rowLabels, padId);
        return whole && batch.longest() < tokens ? withRowOfPadding(batch) : batch;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private TokenBatch withRowOfPadding(TokenBatch batch) {
        int[] ids = new int[tokens];
        int[] labels = new int[tokens];
        Arrays.fill(ids, batch.padId());
        Arrays.fill(labels, TokenBatch.IGNORED);
        return new TokenBatch(append(batch.ids(), ids), append(batch.labels(), labels), batch.padId());
    }

    private static int[][] append(int[][] rows, int[] row) {
        int[][] more = Arrays.copyOf(rows, rows.length + 1);
        more[rows.length] = row;
        return more;
    }

    private long[] integers(String name) throws IOException {
        if (!Arrays.equals(file.tensor(name).shape(), new long[] {rows, tokens})) {
            throw wrongShape(name, "[" + rows + ", " + tokens + "] as " + IDS);
        }
        return file.longs(name);
    }

    private static long[] ignored(int length) {
        long[] labels = new long[length];
        Arrays.fill(labels, TokenBatch.IGNORED);
        return labels;
    }

    /** The tokens of a row without its padding. */
    private int length(int row, long[] mask) {
        int length = 0;
        while (length < tokens && mask[row * tokens + length] == 1) {
            length++;
        }
        for (int i = length; i < tokens; i++) {
            if (mask[row * tokens + i] != 0) {
                throw wrong(MASK, row, "is not ones and then zeros; wanted padding to the right");
            }
        }
        if (length == 0) {
            throw wrong(MASK, row, "has no token; wanted at least one");
        }
        return length;
    }

    private int id(String name, int row, long id, int vocabularySize) {
        if (id < 0 || id >= vocabularySize) {
            throw wrong(name, row, "has " + id + "; wanted 0 to " + (vocabularySize - 1));
        }
        return (int) id;
    }

    private BadInputException wrong(String name, int row, String problem) {
        return wrong(name + " row " + row, problem);
    }

    BadInputException wrong(String name, String problem) {
        return new BadInputException(file.path() + ": " + name + " " + problem);
    }

    private BadInputException wrongShape(String name, String wanted) {
        return new BadInputException(file.path() + ": " + name + " has shape "
                + Arrays.toString(file.tensor(name).shape()) + "; wanted " + wanted);
    }
}
