package org.fedlora4j.hub;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A set of byte positions as ranges that neither overlap nor touch. Not safe for use by several threads. */
final class ByteRanges {
    /**
     * Positions {@code start <= p < end}.
     *
     * @param start first position
     * @param end the position behind the last
     */
    record Range(long start, long end) {
        Range {
            if (start < 0 || end <= start) {
                throw new IllegalArgumentException("range " + start + " to " + end);
            }
        }

        long length() {
            return end - start;
        }
    }

    /** End of each range by its start. */
    private final TreeMap<Long, Long> ends = new TreeMap<>();

    void add(Range range) {
        long start = range.start();
        long end = range.end();
        Map.Entry<Long, Long> before = ends.floorEntry(start);
        if (before != null && before.getValue() >= start) {
            start = before.getKey();
        }
        Map<Long, Long> touched = ends.subMap(start, true, end, true);
        for (long touchedEnd : touched.values()) {
            end = Math.max(end, touchedEnd);
        }
        touched.clear();
        ends.put(start, end);
    }

    /** Number of positions in the set. */
    long total() {
        return list().stream().mapToLong(Range::length).sum();
    }

    /** The ranges in order. */
    List<Range> list() {
        return ends.entrySet().stream()
                .map(entry -> new Range(entry.getKey(), entry.getValue()))
                .toList();
    }

    /** What lacks between 0 and a size, in pieces of at most {@code longest} positions. */
    List<Range> gaps(long size, long longest) {
        List<Range> gaps = new ArrayList<>();
        long position = 0;
        for (Range range : list()) {
            split(position, Math.min(range.start(), size), longest, gaps);
            position = range.end();
        }
        split(position, size, longest, gaps);
        return gaps;
    }

    private static void split(long start, long end, long longest, List<Range> into) {
        while (start < end) {
            long next = end - start > longest ? start + longest : end;
            into.add(new Range(start, next));
            start = next;
        }
    }
}
