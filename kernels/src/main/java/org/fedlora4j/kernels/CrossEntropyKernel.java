package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;
import static org.fedlora4j.kernels.Lanes.roundUp;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * Cross-entropy of rows of logits, -log softmax(logits)[target], and its gradient. A row is read twice, for its maximum and
 * for its exponentials, which are the gradient already but for a factor and for the target: the second time it comes from
 * the cache.
 */
public final class CrossEntropyKernel {
    /** Few enough to be summed in float; sums of tiles are added in double. */
    private static final int TILE = 1_024;

    private CrossEntropyKernel() {}

    /**
     * What a row's logits say of its target.
     *
     * @param loss in nats
     * @param correct whether the target's logit is the largest; among equal ones the first counts
     * @param sum the sum of e^(logit - largest logit), by which the row's gradient is too large
     */
    public record Row(double loss, boolean correct, double sum) {}

    /**
     * Scores the first rows against as many targets.
     *
     * @param logits [rows, width]
     */
    public static Row[] score(FloatBuffer logits, int width, int[] targets) {
        return score(logits, width, targets, targets.length, null);
    }

    /**
     * Scores rows, and makes their gradients: sum · (softmax - onehot(target)). To scale a row here would cost a pass over
     * it, while what is made from it is narrow.
     *
     * @param gradient [rows, width], overwritten; zero in rows without target; may be {@code logits}
     */
    public static Row[] score(FloatBuffer logits, int width, int[] targets, FloatBuffer gradient) {
        return score(logits, width, targets, gradient.capacity() / width, new Floats(gradient));
    }

    /** The same with the gradient in bf16. */
    public static Row[] score(FloatBuffer logits, int width, int[] targets, ShortBuffer gradient) {
        return score(logits, width, targets, gradient.capacity() / width, new BrainFloats(gradient));
    }

    private static Row[] score(FloatBuffer logits, int width, int[] targets, int rows, @Nullable Output gradient) {
        for (int target : targets) {
            Objects.checkIndex(target, width);
        }
        Row[] scores = new Row[targets.length];
        Team.run(rows, 1, (from, to, member) -> {
            float[] tile = Scratch.floats(member, TILE + LENGTH);
            int scored = Math.min(to, targets.length);
            for (int row = from; row < scored; row++) {
                scores[row] = score(logits, row * width, width, targets[row], gradient, tile, member);
            }
            if (gradient != null && to > targets.length) {
                Arrays.fill(tile, 0, TILE, 0);
                int begin = Math.max(from, targets.length) * width;
                for (int at = begin; at < to * width; at += TILE) {
                    gradient.put(at, tile, Math.min(TILE, to * width - at), member);
                }
            }
        });
        return scores;
    }

    private static Row score(
            FloatBuffer logits, int at, int width, int target, @Nullable Output gradient, float[] tile, int member) {
        float targetLogit = logits.get(at + target);
        float largest = Float.NEGATIVE_INFINITY;
        int tileOfLargest = 0;
        for (int begin = 0; begin < width; begin += TILE) {
            float candidate = largest(tile, read(logits, at, begin, width, tile));
            if (candidate > largest) {
                largest = candidate;
                tileOfLargest = begin;
            }
        }
        boolean correct = targetLogit == largest
                && target >= tileOfLargest
                && !contains(logits, at + tileOfLargest, at + target, largest);
        double sum = 0;
        for (int begin = 0; begin < width; begin += TILE) {
            int length = read(logits, at, begin, width, tile);
            sum += exponentials(tile, length, largest);
            if (gradient != null) {
                gradient.put(at + begin, tile, length, member);
            }
        }
        if (gradient != null) {
            gradient.set(at + target, (float) (Math.exp(targetLogit - largest) - sum));
        }
        return new Row(Math.log(sum) + ((double) largest - targetLogit), correct, sum);
    }

    /** Copies a tile in, and fills its last vector up with what adds nothing; the tile's length. */
    private static int read(FloatBuffer logits, int row, int begin, int width, float[] tile) {
        int length = Math.min(TILE, width - begin);
        logits.get(row + begin, tile, 0, length);
        Arrays.fill(tile, length, roundUp(length), Float.NEGATIVE_INFINITY);
        return length;
    }

    private static float largest(float[] tile, int length) {
        FloatVector largest = load(tile, 0);
        for (int i = LENGTH; i < length; i += LENGTH) {
            FloatVector logits = load(tile, i);
            largest = largest.blend(logits, logits.compare(VectorOperators.GT, largest));
        }
        return largest.reduceLanes(VectorOperators.MAX);
    }

    /** In place, e^(x - largest); their sum. */
    private static float exponentials(float[] tile, int length, float largest) {
        FloatVector sums = FloatVector.zero(FLOATS);
        for (int i = 0; i < length; i += LENGTH) {
            FloatVector power = Lanes.exp(load(tile, i).sub(largest));
            power.intoArray(tile, i);
            sums = sums.add(power);
        }
        return Lanes.sum(sums, tile, TILE);
    }

    private static boolean contains(FloatBuffer values, int from, int to, float wanted) {
        for (int i = from; i < to; i++) {
            if (values.get(i) == wanted) {
                return true;
            }
        }
        return false;
    }

    /** Where the gradient goes. */
    private interface Output {
        void put(int at, float[] tile, int length, int member);

        void set(int at, float value);
    }

    private record Floats(FloatBuffer buffer) implements Output {
        @Override
        public void put(int at, float[] tile, int length, int member) {
            buffer.put(at, tile, 0, length);
        }

        @Override
        public void set(int at, float value) {
            buffer.put(at, value);
        }
    }

    private record BrainFloats(ShortBuffer buffer) implements Output {
        @Override
        public void put(int at, float[] tile, int length, int member) {
            short[] narrow = Scratch.shorts(member, TILE);
            Bf16.narrow(tile, 0, narrow, 0, length);
            buffer.put(at, narrow, 0, length);
        }

        @Override
        public void set(int at, float value) {
            buffer.put(at, Bf16.narrow(value));
        }
    }
}
