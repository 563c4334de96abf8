package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.fedlora4j.model.config.LlamaConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training step takes no memory that it does not give back. */
class SteadyMemoryTest {
    private static final int STEPS = 1_000;
    private static final int BLOCKS = 5;

    @Test
    void aThousandStepsLeaveTheProcessAsLargeAsItWas(@TempDir Path folder) throws IOException {
        Random random = new Random(11);
        LlamaConfig config = TinyModel.config(1, 4, 2);
        TokenBatch batch = TinyModel.batch(random, 20);
        try (LanguageModel model = LanguageModel.open(TinyModel.write(folder, config, random));
                LowRankAdapter adapter = new LowRankAdapter(config, random);
                AdaptedModel adapted = model.with(adapter)) {
            run(adapted, batch, 100);
            // The least of several, as the process grows and shrinks by itself, with its compiler and its heap.
            long before = leastResident(adapted, batch);
            long after = leastResident(adapted, batch);
            assertThat(after - before).isLessThan(8L << 20);
        }
    }

    private static void run(AdaptedModel model, TokenBatch batch, int steps) {
        for (int step = 0; step < steps; step++) {
            model.gradients(batch);
        }
    }

    private static long leastResident(AdaptedModel model, TokenBatch batch) throws IOException {
        long least = Long.MAX_VALUE;
        for (int block = 0; block < BLOCKS; block++) {
            run(model, batch, STEPS / BLOCKS);
            touchHeap();
            least = Math.min(least, residentBytes());
        }
        return least;
    }

    /** Uses all of the heap's young generation, so that it is as large every time. */
    private static void touchHeap() {
        byte[] garbage = new byte[1];
        for (long touched = 0; touched < Runtime.getRuntime().totalMemory(); touched += garbage.length) {
            garbage = new byte[1 << 20];
        }
        System.gc();
    }

    private static long residentBytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("RssAnon:"))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }
}
