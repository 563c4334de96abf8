package org.fedlora4j.kernels;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/** Rounds arrays of floats to bf16, in tiles. */
public final class CastKernel {
    private static final int TILE = 2_048;

    private CastKernel() {}

    /**
     * Rounds to nearest, ties to even.
     *
     * @param from [length]
     * @param to [length], overwritten
     */
    public static void toBf16(FloatBuffer from, ShortBuffer to, int length) {
        Team.run(length, TILE, (begin, end, member) -> {
            float[] floats = Scratch.floats(member, TILE);
            short[] shorts = Scratch.shorts(member, TILE);
            for (int at = begin; at < end; at += TILE) {
                int tile = Math.min(TILE, end - at);
                from.get(at, floats, 0, tile);
                Bf16.narrow(floats, 0, shorts, 0, tile);
                to.put(at, shorts, 0, tile);
            }
        });
    }
}
