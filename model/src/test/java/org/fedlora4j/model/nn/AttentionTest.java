package org.fedlora4j.model.nn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.fedlora4j.model.exec.NativeRuntime;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Multi-head, grouped and multi-query attention against loops over doubles, at once and with a cache. */
class AttentionTest {
    static {
        NativeRuntime.ensure();
    }

    private static final long SEED = 23;
    private static final int HIDDEN = 10;
    private static final int HEAD_SIZE = 6;
    private static final double[] FREQUENCIES = {1, 0.3, 0.05};
    private static final double TOLERANCE = 1e-5;

    static Stream<Arguments> grid() {
        return Stream.of(new int[] {1, 1}, new int[] {4, 4}, new int[] {4, 2}, new int[] {6, 2}, new int[] {4, 1})
                .flatMap(heads -> Stream.of(new int[] {1, 1}, new int[] {1, 5}, new int[] {3, 4})
                        .map(size -> Arguments.of(heads[0], heads[1], size[0], size[1])));
    }

    @ParameterizedTest
    @MethodSource("grid")
    void matchesTheLoops(int heads, int keyValueHeads, int batch, int tokens) {
        Sample sample = new Sample(heads, keyValueHeads, batch, tokens);
        INDArray found = sample.run(0, tokens, null, null).output().eval();
        assertThat(Naive.difference(found, sample.wanted())).as("seed %d", SEED).isLessThan(TOLERANCE);
    }

    @ParameterizedTest
    @MethodSource("grid")
    void laterTokensWithTheKeysAndValuesOfEarlierOnes(int heads, int keyValueHeads, int batch, int tokens) {
        Sample sample = new Sample(heads, keyValueHeads, batch, tokens + 2);
        Attention.Result all = sample.run(0, tokens + 2, null, null);
        INDArray keys = first(all.keys().eval(), tokens);
        INDArray values = first(all.values().eval(), tokens);
        INDArray found = sample.run(tokens, 2, keys, values).output().eval();
        double[][] wanted = sample.rows(sample.wanted(), tokens, 2);
        assertThat(Naive.difference(found, wanted)).as("seed %d", SEED).isLessThan(TOLERANCE);
    }

    private static INDArray first(INDArray keysOrValues, int tokens) {
        return keysOrValues
                .get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, tokens), NDArrayIndex.all())
                .dup('c');
    }

    /** A batch of hidden states and an attention block's weights. */
    private static final class Sample {
        private final Random random = new Random(SEED);
        private final int heads;
        private final int keyValueHeads;
        private final int batch;
        private final int tokens;
        private final double[][] x;
        private final double[][] query;
        private final double[][] key;
        private final double[][] value;
        private final double[][] output;

        Sample(int heads, int keyValueHeads, int batch, int tokens) {
            this.heads = heads;
            this.keyValueHeads = keyValueHeads;
            this.batch = batch;
            this.tokens = tokens;
            x = Naive.random(random, batch * tokens, HIDDEN);
            query = weight(heads * HEAD_SIZE, HIDDEN);
            key = weight(keyValueHeads * HEAD_SIZE, HIDDEN);
            value = weight(keyValueHeads * HEAD_SIZE, HIDDEN);
            output = weight(HIDDEN, heads * HEAD_SIZE);
        }

        private double[][] weight(int out, int in) {
            double[][] weight = Naive.random(random, out, in);
            for (double[] row : weight) {
                Arrays.setAll(row, i -> row[i] / 2);
            }
            return weight;
        }

        /** The rows of {@code count} tokens from {@code from} on, of each text. */
        double[][] rows(double[][] all, int from, int count) {
            double[][] rows = new double[batch * count][];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = all[i / count * tokens + from + i % count];
            }
            return rows;
        }

        /** The block on some of the tokens, the earlier ones' keys and values given. */
        Attention.Result run(int from, int count, @Nullable INDArray keys, @Nullable INDArray values) {
            int rows = batch * count;
            int[] positions = new int[rows];
            Arrays.setAll(positions, row -> from + row % count);
            INDArray mask = Nd4j.zeros(DataType.FLOAT, batch, 1, count, from + count);
            for (int row = 0; row < rows; row++) {
                for (int later = positions[row] + 1; later < from + count; later++) {
                    mask.putScalar(new int[] {row / count, 0, row % count, later}, -1e9);
                }
            }
            SameDiff graph = SameDiff.create();
            SDVariable[] tables = new SDVariable[4];
            for (int i = 0; i < 4; i += 2) {
                int repeats = i == 0 ? heads : keyValueHeads;
                int width = repeats * HEAD_SIZE;
                INDArray cos = Nd4j.create(DataType.FLOAT, rows, width);
                INDArray sin = Nd4j.create(DataType.FLOAT, rows, width);
                Rope.fillTables(positions, FREQUENCIES, repeats, cos, sin);
                tables[i] = graph.constant(cos);
                tables[i + 1] = graph.constant(sin);
            }
            Attention attention = new Attention(
                    new Attention.Dimensions(batch, count, heads, keyValueHeads, HEAD_SIZE),
                    frozen(graph, query),
                    frozen(graph, key),
                    frozen(graph, value),
                    frozen(graph, output),
                    new Attention.Rotation(
                            tables[0], tables[1], tables[2], tables[3], graph.constant(Rope.rotateHalf(HEAD_SIZE))));
            Attention.Cache cache = keys == null || values == null
                    ? null
                    : new Attention.Cache(graph.constant(keys), graph.constant(values), from);
            SDVariable input = graph.constant(Naive.array(rows(x, from, count)));
            return attention.apply(graph, input, graph.constant(mask), cache);
        }

        private static Projection frozen(SameDiff graph, double[][] weight) {
            return Projection.frozen(graph.constant(Naive.array(weight)));
        }

        double[][] wanted() {
            int[] positions = new int[batch * tokens];
            Arrays.setAll(positions, row -> row % tokens);
            double[][] q = Naive.rotated(Naive.product(x, query), positions, FREQUENCIES);
            double[][] k = Naive.rotated(Naive.product(x, key), positions, FREQUENCIES);
            double[][] v = Naive.product(x, value);
            double[][] mixed = new double[batch * tokens][heads * HEAD_SIZE];
            for (int row = 0; row < mixed.length; row++) {
                int begin = row - positions[row];
                for (int head = 0; head < heads; head++) {
                    int queryAt = head * HEAD_SIZE;
                    int keyAt = head / (heads / keyValueHeads) * HEAD_SIZE;
                    double[] weights = new double[positions[row] + 1];
                    double sum = 0;
                    for (int seen = 0; seen < weights.length; seen++) {
                        double score = 0;
                        for (int i = 0; i < HEAD_SIZE; i++) {
                            score += q[row][queryAt + i] * k[begin + seen][keyAt + i];
                        }
                        weights[seen] = Math.exp(score / Math.sqrt(HEAD_SIZE));
                        sum += weights[seen];
                    }
                    for (int seen = 0; seen < weights.length; seen++) {
                        for (int i = 0; i < HEAD_SIZE; i++) {
                            mixed[row][queryAt + i] += weights[seen] / sum * v[begin + seen][keyAt + i];
                        }
                    }
                }
            }
            return Naive.product(mixed, output);
        }
    }
}
