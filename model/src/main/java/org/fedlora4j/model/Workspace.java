package org.fedlora4j.model;

import org.fedlora4j.model.exec.Arena;
import org.jspecify.annotations.Nullable;

/**
 * The memory that plans run in, one at a time: as large as the largest plan so far needs. When it grows, plans that were
 * bound to the old one bind themselves anew before they run.
 */
final class Workspace implements AutoCloseable {
    private @Nullable Arena saved;
    private @Nullable Arena scratch;

    /** What a pass keeps from its forward to its backward half. */
    Arena saved(long bytes) {
        saved = atLeast(bytes, saved);
        return saved;
    }

    /** What a half needs while it runs. */
    Arena scratch(long bytes) {
        scratch = atLeast(bytes, scratch);
        return scratch;
    }

    long bytes() {
        return bytes(saved) + bytes(scratch);
    }

    private static long bytes(@Nullable Arena arena) {
        return arena == null ? 0 : arena.bytes();
    }

    private static Arena atLeast(long bytes, @Nullable Arena arena) {
        if (arena != null && arena.bytes() >= bytes) {
            return arena;
        }
        if (arena != null) {
            arena.close();
        }
        return Arena.of(bytes);
    }

    /** Overwrites everything, for tests that prove that nothing stale is read. */
    void fill(float value) {
        for (Arena arena : new Arena[] {saved, scratch}) {
            if (arena != null) {
                arena.fill(value);
            }
        }
    }

    @Override
    public void close() {
        for (Arena arena : new Arena[] {saved, scratch}) {
            if (arena != null) {
                arena.close();
            }
        }
    }
}
