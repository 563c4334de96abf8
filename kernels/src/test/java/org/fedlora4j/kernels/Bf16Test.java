package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Every bf16 there is, and what lies between neighbours; each in vectors and alone. */
class Bf16Test {
    private static final int ALL = 1 << 16;
    private static final long SEED = 16;

    @Test
    void everyValueIsTheUpperHalfOfAFloat() {
        short[] values = all();
        float[] widened = widen(values);
        for (int i = 0; i < ALL; i++) {
            assertThat(Float.floatToRawIntBits(widened[i])).isEqualTo(values[i] << 16);
            assertThat(Float.floatToRawIntBits(Bf16.widen(values[i]))).isEqualTo(values[i] << 16);
        }
    }

    @Test
    void everyValueComesBack() {
        short[] values = all();
        float[] widened = widen(values);
        short[] narrowed = narrow(widened);
        for (int i = 0; i < ALL; i++) {
            // A signalling NaN comes back as a quiet one.
            int wanted = Float.isNaN(widened[i]) ? values[i] | 0x40 : values[i];
            assertThat(narrowed[i]).isEqualTo((short) wanted);
            assertThat(Bf16.narrow(widened[i])).isEqualTo((short) wanted);
        }
    }

    /** Half-way between neighbours, just below and just above it, for all finite values of both signs. */
    @Test
    void roundsToTheNearestAndTiesToTheEven() {
        for (short value : all()) {
            if (!Float.isFinite(Bf16.widen(value))) {
                continue;
            }
            int bits = value << 16;
            check(bits | 0x7fff, value);
            check(bits | 0x8001, (short) (value + 1));
            check(bits | 0x8000, (short) (value + (value & 1)));
        }
    }

    @Test
    void nansStayNans() {
        for (int nan : new int[] {0x7f80_0001, 0x7fff_ffff, 0xff80_0001, 0xffff_ffff, 0x7fc0_0000}) {
            assertThat(Bf16.widen(narrow(new float[] {Float.intBitsToFloat(nan)})[0]))
                    .isNaN();
            check(nan, (short) ((nan | 0x40_0000) >>> 16));
        }
    }

    /** Against exact arithmetic: no neighbour of what comes out is nearer. */
    @Test
    void noOtherValueIsNearer() {
        Random random = new Random(SEED);
        for (int turn = 0; turn < 100_000; turn++) {
            float value = Float.intBitsToFloat(random.nextInt());
            if (!(Math.abs(value) < Bf16.widen((short) 0x7f7f))) {
                continue;
            }
            short narrowed = Bf16.narrow(value);
            BigDecimal distance = distance(value, narrowed);
            for (int step : new int[] {-1, 1}) {
                short neighbour = (short) (narrowed + step);
                if (Float.isFinite(Bf16.widen(neighbour))) {
                    assertThat(distance).as("%s, seed %d", value, SEED).isLessThanOrEqualTo(distance(value, neighbour));
                }
            }
        }
    }

    /** Any length from any place, and nothing beside is written. */
    @Test
    void runsOfAnyLength() {
        for (int length = 0; length < 70; length++) {
            float[] floats = new float[length + 3];
            for (int i = 0; i < length; i++) {
                floats[3 + i] = i + 0.5f;
            }
            short[] narrowed = new short[length + 7];
            Arrays.fill(narrowed, (short) -1);
            Bf16.narrowRow(floats, 3, narrowed, 5, length);
            float[] widened = new float[length + 4];
            Arrays.fill(widened, Float.NaN);
            Bf16.widenRow(narrowed, 5, widened, 2, length);
            for (int i = 0; i < length; i++) {
                assertThat(widened[2 + i]).isEqualTo(i + 0.5f);
            }
            assertThat(narrowed[4]).isEqualTo((short) -1);
            assertThat(narrowed[5 + length]).isEqualTo((short) -1);
            assertThat(widened[1]).isNaN();
            assertThat(widened[2 + length]).isNaN();
        }
    }

    private static void check(int bits, short wanted) {
        float[] floats = new float[Lanes.LENGTH];
        Arrays.fill(floats, Float.intBitsToFloat(bits));
        assertThat(narrow(floats)).as("0x%08x", bits).containsOnly(wanted);
        assertThat(Bf16.narrow(floats[0])).as("0x%08x", bits).isEqualTo(wanted);
    }

    private static BigDecimal distance(float value, short narrowed) {
        return new BigDecimal(value)
                .subtract(new BigDecimal(Bf16.widen(narrowed)))
                .abs();
    }

    private static short[] all() {
        short[] values = new short[ALL];
        for (int i = 0; i < ALL; i++) {
            values[i] = (short) i;
        }
        return values;
    }

    private static float[] widen(short[] values) {
        float[] widened = new float[values.length];
        Bf16.widenRow(values, 0, widened, 0, values.length);
        return widened;
    }

    private static short[] narrow(float[] values) {
        short[] narrowed = new short[values.length];
        Bf16.narrowRow(values, 0, narrowed, 0, values.length);
        return narrowed;
    }
}
