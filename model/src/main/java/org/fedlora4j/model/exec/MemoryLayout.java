package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Places buffers with known lifetimes in one block: first fit by order of birth, so that the dead make room. */
final class MemoryLayout {
    /** A buffer written first at step {@code first} and read last at step {@code last}. */
    record Lifetime(String name, long bytes, int first, int last) {
        /** A longer one, with what takes its place. */
        Lifetime until(int step) {
            return new Lifetime(name, bytes, first, Math.max(last, step));
        }
    }

    private record Placed(long begin, long end, int last) {}

    private final Map<String, Long> offsets = new HashMap<>();
    private long bytes;

    /** @param lifetimes in order of {@code first} */
    MemoryLayout(List<Lifetime> lifetimes) {
        List<Placed> living = new ArrayList<>();
        for (Lifetime lifetime : lifetimes) {
            // A buffer read at this very step stays: an op's output never overlaps its inputs.
            living.removeIf(placed -> placed.last < lifetime.first);
            living.sort(Comparator.comparingLong(Placed::begin));
            long size = Arena.align(lifetime.bytes);
            long begin = 0;
            for (Placed placed : living) {
                if (begin + size <= placed.begin) {
                    break;
                }
                begin = Math.max(begin, placed.end);
            }
            living.add(new Placed(begin, begin + size, lifetime.last));
            offsets.put(lifetime.name, begin);
            bytes = Math.max(bytes, begin + size);
        }
    }

    long offset(String name) {
        Long offset = offsets.get(name);
        if (offset == null) {
            throw new IllegalArgumentException("no buffer was laid out for " + name);
        }
        return offset;
    }

    long bytes() {
        return bytes;
    }
}
