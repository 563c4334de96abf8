package org.fedlora4j.kernels;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/**
 * An array in native memory that kernels compute with in float. Its elements are floats; or they are {@link Bf16}, widened
 * when they are read and rounded when they are written.
 */
public abstract sealed class Numbers {
    private Numbers() {}

    /** Floats over a buffer's whole capacity. */
    public static Numbers of(FloatBuffer buffer) {
        return new Floats(buffer);
    }

    /** Bf16 over a buffer's whole capacity. */
    public static Numbers ofBf16(ShortBuffer buffer) {
        return new BrainFloats(buffer);
    }

    /** The number of elements. */
    public abstract int length();

    /** Copies a run of elements out, in a share that the member of the {@link Team} runs. */
    abstract void get(int index, float[] to, int at, int length, int member);

    /** Copies a run of elements in, in a share that the member of the {@link Team} runs. */
    abstract void put(int index, float[] from, int at, int length, int member);

    private static final class Floats extends Numbers {
        private final FloatBuffer buffer;

        Floats(FloatBuffer buffer) {
            this.buffer = buffer;
        }

        @Override
        public int length() {
            return buffer.capacity();
        }

        @Override
        void get(int index, float[] to, int at, int length, int member) {
            buffer.get(index, to, at, length);
        }

        @Override
        void put(int index, float[] from, int at, int length, int member) {
            buffer.put(index, from, at, length);
        }
    }

    private static final class BrainFloats extends Numbers {
        private final ShortBuffer buffer;

        BrainFloats(ShortBuffer buffer) {
            this.buffer = buffer;
        }

        @Override
        public int length() {
            return buffer.capacity();
        }

        @Override
        void get(int index, float[] to, int at, int length, int member) {
            short[] narrow = Scratch.shorts(member, length);
            buffer.get(index, narrow, 0, length);
            Bf16.widenRow(narrow, 0, to, at, length);
        }

        @Override
        void put(int index, float[] from, int at, int length, int member) {
            short[] narrow = Scratch.shorts(member, length);
            Bf16.narrowRow(from, at, narrow, 0, length);
            buffer.put(index, narrow, 0, length);
        }
    }
}
