package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Around the ends of vectors, of tiles and of shares; outputs are filled with NaN before. */
class CastKernelTest {
    private static final long SEED = 5;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 17, 2_047, 2_048, 2_049, 4_096, 10_000})
    void everyNumberIsCopied(int length) {
        Random random = new Random(SEED);
        FloatBuffer floats = Buffers.poisoned(length);
        for (int i = 0; i < length; i++) {
            floats.put(i, (float) (1e3 * random.nextGaussian()));
        }
        ShortBuffer narrow = Buffers.poisonedShorts(length + 1);
        CastKernel.run(Numbers.of(floats), Numbers.ofBf16(narrow));
        FloatBuffer widened = Buffers.poisoned(length + 1);
        CastKernel.run(Numbers.ofBf16(narrow), Numbers.of(widened));
        FloatBuffer copied = Buffers.poisoned(length);
        CastKernel.run(Numbers.of(floats), Numbers.of(copied));
        assertThat(copied).as("seed %d", SEED).isEqualTo(floats);
        for (int i = 0; i < length; i++) {
            assertThat(narrow.get(i)).as("seed %d", SEED).isEqualTo(Bf16.narrow(floats.get(i)));
            assertThat(widened.get(i)).as("seed %d", SEED).isEqualTo(Bf16.widen(narrow.get(i)));
        }
        assertThat(widened.get(length)).isNaN();
    }
}
