package org.fedlora4j.kernels;

/** Copies numbers into another type, in tiles. */
public final class CastKernel {
    private static final int TILE = 2_048;

    private CastKernel() {}

    /**
     * Copies all numbers.
     *
     * @param from [length]
     * @param to [length], overwritten
     */
    public static void run(Numbers from, Numbers to) {
        Team.run(from.length(), TILE, (begin, end, member) -> {
            float[] tile = Scratch.floats(member, TILE);
            for (int at = begin; at < end; at += TILE) {
                int length = Math.min(TILE, end - at);
                from.get(at, tile, 0, length, member);
                to.put(at, tile, 0, length, member);
            }
        });
    }
}
