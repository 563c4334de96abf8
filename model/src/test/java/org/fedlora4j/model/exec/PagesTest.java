package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

class PagesTest {
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 100_000, 5L << 20})
    void blocksOfAnySizeAreWhollyUsable(long bytes) {
        Arena arena = new HostArena(bytes);
        arena.fill(3);
        long floats = bytes / Float.BYTES;
        if (floats > 0) {
            assertThat(arena.array(0, DataType.FLOAT, floats).sumNumber().doubleValue())
                    .isEqualTo(3.0 * floats);
        }
        arena.close();
        arena.close(); // does nothing
    }

    /** What the C library's heap would keep: blocks that are large, but not large enough for it to map. */
    @Test
    void closedBlocksAreNoLongerResident() throws IOException {
        long before = residentBytes();
        Arena[] arenas = new Arena[8];
        for (int i = 0; i < arenas.length; i++) {
            arenas[i] = new HostArena(16 << 20);
            arenas[i].fill(1);
        }
        long used = residentBytes();
        for (Arena arena : arenas) {
            arena.close();
        }
        assertThat(used - before).isGreaterThan(100L << 20);
        assertThat(used - residentBytes()).isGreaterThan(100L << 20);
    }

    @Test
    void whatWasEvictedIsReadAgain(@TempDir Path folder) throws IOException {
        byte[] bytes = new byte[100_000];
        new Random(5).nextBytes(bytes);
        Path file = Files.write(folder.resolve("bytes"), bytes);
        long address = Pages.map(file, bytes.length);
        var view = NativeArrays.wrap(address, DataType.INT8, bytes.length);
        double sum = view.castTo(DataType.DOUBLE).sumNumber().doubleValue();
        Pages.evict(address + 5_000, 60_000);
        assertThat(view.castTo(DataType.DOUBLE).sumNumber().doubleValue()).isEqualTo(sum);
        Pages.unmap(address, bytes.length);
    }

    private static long residentBytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("RssAnon:"))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }
}
