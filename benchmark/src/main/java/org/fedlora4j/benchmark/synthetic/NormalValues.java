package org.fedlora4j.benchmark.synthetic;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;

/**
 * Normally distributed elements of 2 bytes, faster than a disk takes them. An element is one of 65,536 equally likely
 * quantiles, looked up by 16 random bits; a step of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
 * generators", 2014) has bits for four of them. Its state is a counter, so that any tensor can be made by itself: its
 * elements follow from the seed and its name alone.
 */
final class NormalValues {
    private static final int QUANTILES = 1 << 16;
    private static final int PER_STEP = 4;
    private static final int CHUNK_STEPS = 1 << 15;
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;
    private static final long FNV_BASIS = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final long seed;
    private final short[] quantiles = new short[QUANTILES];

    /**
     * Values around a mean.
     *
     * @param type F16 or BF16, to which the quantiles are rounded
     */
    NormalValues(double mean, double deviation, ElementType type, long seed) {
        this.seed = seed;
        NormalDistribution distribution = new NormalDistribution(mean, deviation);
        float[] values = new float[QUANTILES];
        for (int i = 0; i < QUANTILES; i++) {
            values[i] = (float) distribution.inverseCumulativeProbability((i + 0.5) / QUANTILES);
        }
        ByteBuffer encoded = ByteBuffer.allocate(QUANTILES * Short.BYTES);
        Elements.encode(values, type, encoded);
        encoded.flip().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().get(quantiles);
    }

    /** Writes so many elements of a tensor, little-endian. */
    void write(String tensor, long elements, OutputStream out) throws IOException {
        long key = mix(seed * GOLDEN_GAMMA + hash(tensor));
        byte[] chunk = new byte[CHUNK_STEPS * Long.BYTES];
        long step = 0;
        for (long left = elements; left > 0; left -= (long) CHUNK_STEPS * PER_STEP) {
            fill(chunk, key, step);
            step += CHUNK_STEPS;
            out.write(chunk, 0, (int) Math.min(chunk.length, left * Short.BYTES));
        }
    }

    private void fill(byte[] chunk, long key, long firstStep) {
        for (int i = 0; i < CHUNK_STEPS; i++) {
            long bits = mix(key + (firstStep + i + 1) * GOLDEN_GAMMA);
            long four = quantile(bits)
                    | quantile(bits >>> 16) << 16
                    | quantile(bits >>> 32) << 32
                    | quantile(bits >>> 48) << 48;
            LONGS.set(chunk, i * Long.BYTES, four);
        }
    }

    private long quantile(long bits) {
        return quantiles[(int) bits & (QUANTILES - 1)] & 0xffffL;
    }

    /** SplitMix64's finaliser. */
    private static long mix(long value) {
        value = (value ^ value >>> 30) * 0xbf58476d1ce4e5b9L;
        value = (value ^ value >>> 27) * 0x94d049bb133111ebL;
        return value ^ value >>> 31;
    }

    /** FNV-1a of the name, in 64 bits. */
    private static long hash(String name) {
        long hash = FNV_BASIS;
        for (byte letter : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (letter & 0xff)) * FNV_PRIME;
        }
        return hash;
    }
}
