package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;
import static org.fedlora4j.kernels.Lanes.roundUp;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.fedlora4j.kernels.Product.Operand;
import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;
import org.jspecify.annotations.Nullable;

/**
 * Cross-entropy of a language model's head, -log softmax(x·Wᵀ)[target], and its gradient by x, in tiles of the vocabulary:
 * a tile's logits stay in the cache, and those of all are never in memory (Wijmans et al., arXiv 2411.09009). It is
 * attention to the vocabulary, with W for keys and values: where a tile has a larger logit than those before it, what was
 * summed up so far is scaled down. The {@link Team}'s members have parts of the vocabulary, put together at the end.
 *
 * <p>N rows, D hidden size, V vocabulary. Products are of float32 or of bfloat16, summed in float32.
 */
public final class HeadLossKernel {
    /** Tokens of a tile. */
    private static final int TILE = 512;

    private static final NativeBlock[] TILES = NativeBlock.forTeam();
    private static final NativeBlock[] GRADIENTS = NativeBlock.forTeam();

    /**
     * A row's score.
     *
     * @param loss in nats
     * @param correct whether the target's logit is the largest; among equal ones the first counts
     */
    public record Row(double loss, boolean correct) {}

    /**
     * Where x lies, [N, D].
     *
     * @param type float32 or bfloat16
     * @param low the address of what rounding to bfloat16 left over, in bfloat16, or 0
     */
    public record Hidden(Type type, long address, long low) {}

    private final int rows;
    private final WeightMatrix weight;
    private final int width;

    /** @param rows N; there may be fewer targets */
    public HeadLossKernel(int rows, WeightMatrix weight) {
        this.rows = rows;
        this.weight = weight;
        width = weight.columns();
    }

    /**
     * Scores the first rows against as many targets.
     *
     * @param gradient [N, D], the scored rows are overwritten with factor · (softmax - onehot(target))·W; null for none
     */
    public Row[] score(Hidden x, int[] targets, @Nullable FloatBuffer gradient, double factor) {
        for (int target : targets) {
            Objects.checkIndex(target, weight.rows());
        }
        // Another caller must not use the members' sums before they are put together.
        synchronized (GRADIENTS) {
            Part[] parts = parts(x, targets, gradient != null);
            Row[] scores = new Row[targets.length];
            Team.run(targets.length, 1, (from, to, member) -> {
                float[] scratch = Scratch.floats(member, 2 * width);
                for (int row = from; row < to; row++) {
                    scores[row] = scoreOf(parts, row, targets[row]);
                    if (gradient != null) {
                        gradientOf(parts, row, targets[row], factor, scratch);
                        gradient.put(row * width, scratch, 0, width);
                    }
                }
            });
            return scores;
        }
    }

    private Part[] parts(Hidden x, int[] targets, boolean withGradients) {
        int tiles = Math.max(1, weight.rows() / TILE);
        Part[] parts = new Part[Math.min(Team.size(), tiles)];
        Team.run(parts.length, 1, (from, to, member) -> {
            for (int i = from; i < to; i++) {
                parts[i] = new Part(x, targets, withGradients ? GRADIENTS[i].address(bytes(rows, width)) : 0);
                int last = tiles * (i + 1) / parts.length;
                for (int tile = tiles * i / parts.length; tile < last; tile++) {
                    // The last tile of all has what is left over, too.
                    int end = tile + 1 < tiles ? (tile + 1) * TILE : weight.rows();
                    parts[i].add(tile * TILE, end, member);
                }
            }
        });
        return parts;
    }

    private static Row scoreOf(Part[] parts, int row, int target) {
        Part best = parts[0];
        double targetLogit = 0;
        for (Part part : parts) {
            best = part.largest[row] > best.largest[row] ? part : best;
            targetLogit += part.targetLogits[row];
        }
        return new Row(Math.log(sum(parts, row)) + (largest(parts, row) - targetLogit), best.first[row] == target);
    }

    private static float largest(Part[] parts, int row) {
        float largest = Float.NEGATIVE_INFINITY;
        for (Part part : parts) {
            largest = Math.max(largest, part.largest[row]);
        }
        return largest;
    }

    /** Of e^(logit - largest logit). */
    private static double sum(Part[] parts, int row) {
        double sum = 0;
        for (Part part : parts) {
            sum += part.sums[row] * Math.exp((double) part.largest[row] - largest(parts, row));
        }
        return sum;
    }

    /** A row's gradient, at the scratch's beginning. */
    private void gradientOf(Part[] parts, int row, int target, double factor, float[] scratch) {
        weight.copyRow(target, scratch, 0);
        Lanes.scaleRow(scratch, 0, width, (float) -factor);
        double perSum = factor / sum(parts, row);
        for (Part part : parts) {
            double scale = perSum * Math.exp((double) part.largest[row] - largest(parts, row));
            part.gradients.get(row * width, scratch, width, width);
            Lanes.scaleRow(scratch, width, width, (float) scale);
            Lanes.addToRow(scratch, 0, width, width);
        }
    }

    private static long bytes(int rows, int columns) {
        return (long) rows * columns * Float.BYTES;
    }

    /** What the tiles of a part of the vocabulary add up to. */
    private final class Part {
        private final Hidden x;
        private final int[] targets;
        private final long gradientsAt;
        private final Operand left;
        private Sum sum = Sum.NOTHING;

        final FloatBuffer gradients;
        /** Each row's largest logit, the token that has it first, the sum of e^(logit - largest), and the target's logit. */
        final float[] largest;

        final int[] first;
        final double[] sums;
        final double[] targetLogits;

        Part(Hidden x, int[] targets, long gradientsAt) {
            this.x = x;
            this.targets = targets;
            this.gradientsAt = gradientsAt;
            left = new Operand(x.type, false, width);
            gradients = NativeBlock.buffer(gradientsAt, gradientsAt == 0 ? 0 : bytes(rows, width))
                    .asFloatBuffer();
            largest = new float[targets.length];
            Arrays.fill(largest, Float.NEGATIVE_INFINITY);
            first = new int[targets.length];
            sums = new double[targets.length];
            targetLogits = new double[targets.length];
        }

        /** Adds the tokens of a tile. */
        void add(int begin, int end, int member) {
            int columns = end - begin;
            int stride = columns == 1 ? 1 : roundUp(columns);
            long logitsAt = TILES[member].address(2 * bytes(rows, stride));
            // Products of float32 read the powers where the logits were.
            long powersAt = x.type == Type.F32 ? logitsAt : logitsAt + bytes(rows, stride);
            long weightAt =
                    weight.address() + (long) begin * width * weight.type().bytes();
            Operand logits = new Operand(Type.F32, false, stride);
            Operand turned = new Operand(weight.type(), true, width);
            Product.of(new Shape(rows, width, columns, left, turned, logits, Sum.NOTHING))
                    .run(member, x.address, weightAt, logitsAt, 0);
            if (x.low != 0) {
                Product.of(new Shape(rows, width, columns, left, turned, logits, Sum.RESULT))
                        .run(member, x.low, weightAt, logitsAt, 0);
            }
            addRows(begin, columns, stride, logitsAt, powersAt, member);
            if (gradientsAt != 0) {
                Operand powers = new Operand(x.type, false, stride);
                Operand straight = new Operand(weight.type(), false, width);
                Operand result = new Operand(Type.F32, false, width);
                Product.of(new Shape(rows, columns, width, powers, straight, result, sum))
                        .run(member, powersAt, weightAt, gradientsAt, 0);
                sum = Sum.RESULT;
            }
        }

        private void addRows(int begin, int columns, int stride, long logitsAt, long powersAt, int member) {
            long elements = (long) targets.length * stride;
            Numbers logits = NativeBlock.floats(logitsAt, elements);
            Numbers powers = x.type == Type.F32 ? logits : NativeBlock.bf16(powersAt, elements);
            int length = roundUp(columns);
            float[] row = Scratch.floats(member, Math.max(length + LENGTH, width));
            for (int i = 0; i < targets.length; i++) {
                logits.get(i * stride, row, 0, columns, member);
                Arrays.fill(row, columns, length, Float.NEGATIVE_INFINITY);
                if (targets[i] >= begin && targets[i] < begin + columns) {
                    targetLogits[i] = row[targets[i] - begin];
                }
                float candidate = largestOfRow(row, length);
                float shrink = 1;
                if (candidate > largest[i]) {
                    shrink = (float) Math.exp((double) largest[i] - candidate);
                    largest[i] = candidate;
                    first[i] = begin + first(row, candidate);
                }
                sums[i] = sums[i] * shrink + exponentialsOfRow(row, length, largest[i]);
                if (gradientsAt != 0) {
                    // With the zeros behind it: see Product.Shape on gaps.
                    powers.put(i * stride, row, 0, stride, member);
                    if (shrink != 1 && sum == Sum.RESULT) {
                        gradients.get(i * width, row, 0, width);
                        Lanes.scaleRow(row, 0, width, shrink);
                        gradients.put(i * width, row, 0, width);
                    }
                }
            }
        }
    }

    private static int first(float[] row, float value) {
        int first = 0;
        while (row[first] != value) {
            first++;
        }
        return first;
    }

    private static float largestOfRow(float[] row, int length) {
        FloatVector largest = load(row, 0);
        for (int i = LENGTH; i < length; i += LENGTH) {
            FloatVector logits = load(row, i);
            largest = largest.blend(logits, logits.compare(VectorOperators.GT, largest));
        }
        return largest.reduceLanes(VectorOperators.MAX);
    }

    /** In place, e^(x - largest); their sum. There is room for a vector behind them. */
    private static float exponentialsOfRow(float[] row, int length, float largest) {
        FloatVector sums = FloatVector.zero(FLOATS);
        for (int i = 0; i < length; i += LENGTH) {
            FloatVector power = Lanes.exp(load(row, i).sub(largest));
            power.intoArray(row, i);
            sums = sums.add(power);
        }
        return Lanes.sum(sums, row, length);
    }
}
