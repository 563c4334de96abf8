package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;
import static org.fedlora4j.kernels.Lanes.roundUp;

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
     * Scores the first rows against as many targets, and makes their gradients, sum · (softmax - onehot(target)). To scale a
     * row here would cost a pass over it, while what is made from it is narrow.
     *
     * @param logits [rows, width]
     * @param gradient [rows, width], overwritten, zero in rows without target; may be {@code logits}, or null for none
     */
    public static Row[] score(Numbers logits, int width, int[] targets, @Nullable Numbers gradient) {
        for (int target : targets) {
            Objects.checkIndex(target, width);
        }
        Row[] scores = new Row[targets.length];
        int rows = gradient == null ? targets.length : gradient.length() / width;
        Team.run(rows, 1, (from, to, member) -> {
            float[] tile = Scratch.floats(member, TILE + LENGTH);
            for (int row = from; row < Math.min(to, targets.length); row++) {
                scores[row] = score(logits, row * width, width, targets[row], gradient, tile, member);
            }
            if (gradient != null) {
                Arrays.fill(tile, 0);
                for (int at = Math.max(from, targets.length) * width; at < to * width; at += TILE) {
                    gradient.put(at, tile, 0, Math.min(TILE, to * width - at), member);
                }
            }
        });
        return scores;
    }

    private static Row score(
            Numbers logits, int at, int width, int target, @Nullable Numbers gradient, float[] tile, int member) {
        logits.get(at + target, tile, 0, 1, member);
        float targetLogit = tile[0];
        float largest = Float.NEGATIVE_INFINITY;
        boolean correct = false;
        for (int begin = 0; begin < width; begin += TILE) {
            int length = read(logits, at, begin, width, tile, member);
            float candidate = largestOfRow(tile, length);
            if (candidate > largest) {
                largest = candidate;
                correct = targetLogit == largest && first(tile, length, largest) == target - begin;
            }
        }
        double sum = 0;
        for (int begin = 0; begin < width; begin += TILE) {
            int length = read(logits, at, begin, width, tile, member);
            sum += exponentialsOfRow(tile, length, largest);
            if (gradient != null) {
                gradient.put(at + begin, tile, 0, length, member);
            }
        }
        if (gradient != null) {
            tile[0] = (float) (Math.exp(targetLogit - largest) - sum);
            gradient.put(at + target, tile, 0, 1, member);
        }
        return new Row(Math.log(sum) + ((double) largest - targetLogit), correct, sum);
    }

    /** Copies a tile in, and fills its last vector up with what adds nothing; the tile's length. */
    private static int read(Numbers logits, int row, int begin, int width, float[] tile, int member) {
        int length = Math.min(TILE, width - begin);
        logits.get(row + begin, tile, 0, length, member);
        Arrays.fill(tile, length, roundUp(length), Float.NEGATIVE_INFINITY);
        return length;
    }

    /** Where a value stands first, or the length. */
    private static int first(float[] tile, int length, float value) {
        int first = 0;
        while (first < length && tile[first] != value) {
            first++;
        }
        return first;
    }

    private static float largestOfRow(float[] tile, int length) {
        FloatVector largest = load(tile, 0);
        for (int i = LENGTH; i < length; i += LENGTH) {
            FloatVector logits = load(tile, i);
            largest = largest.blend(logits, logits.compare(VectorOperators.GT, largest));
        }
        return largest.reduceLanes(VectorOperators.MAX);
    }

    /** In place, e^(x - largest); their sum. */
    private static float exponentialsOfRow(float[] tile, int length, float largest) {
        FloatVector sums = FloatVector.zero(FLOATS);
        for (int i = 0; i < length; i += LENGTH) {
            FloatVector power = Lanes.exp(load(tile, i).sub(largest));
            power.intoArray(tile, i);
            sums = sums.add(power);
        }
        return Lanes.sum(sums, tile, TILE);
    }
}
