package org.fedlora4j.model.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ElementsTest {
    /** The value of an F16 by the formula of IEEE 754, for finite ones. */
    private static double naiveF16(int bits) {
        int exponent = bits >> 10 & 0x1f;
        double fraction = (bits & 0x3ff) / 1024.0;
        double magnitude = exponent == 0 ? fraction * Math.pow(2, -14) : (1 + fraction) * Math.pow(2, exponent - 15);
        return (bits & 0x8000) == 0 ? magnitude : -magnitude;
    }

    @Test
    void everyF16IsItsValueAndComesBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = Elements.fromF16((short) bits);
            if ((bits & 0x7c00) != 0x7c00) {
                assertThat((double) value).isEqualTo(naiveF16(bits));
            } else if ((bits & 0x3ff) == 0) {
                assertThat(value).isEqualTo(bits == 0x7c00 ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY);
            } else {
                assertThat(value).isNaN();
                continue;
            }
            assertThat(Elements.toF16(value)).isEqualTo((short) bits);
        }
    }

    @Test
    void everyBf16ComesBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = Elements.fromBf16((short) bits);
            short back = Elements.toBf16(value);
            if (Float.isNaN(value)) {
                assertThat(Elements.fromBf16(back)).isNaN();
            } else {
                assertThat(back).isEqualTo((short) bits);
            }
        }
    }

    /** Between two neighbours: the nearer one, and the even one from the middle. */
    @Test
    void roundsToTheNearestEven() {
        for (int bits = 0; bits < 0x7bff; bits++) {
            double low = naiveF16(bits);
            double high = naiveF16(bits + 1);
            float middle = (float) ((low + high) / 2);
            assertThat(Elements.toF16(middle)).isEqualTo((short) (bits + (bits & 1)));
            assertThat(Elements.toF16(Math.nextDown(middle))).isEqualTo((short) bits);
            assertThat(Elements.toF16(-Math.nextUp(middle))).isEqualTo((short) (0x8000 | bits + 1));
        }
        for (int bits = 0; bits < 0x7f7f; bits++) {
            float middle = Float.intBitsToFloat(bits << 16 | 0x8000);
            assertThat(Elements.toBf16(middle)).isEqualTo((short) (bits + (bits & 1)));
            assertThat(Elements.toBf16(Math.nextDown(middle))).isEqualTo((short) bits);
            assertThat(Elements.toBf16(-Math.nextUp(middle))).isEqualTo((short) (0x8000 | bits + 1));
        }
    }

    @Test
    void refusesWhatF16CanNotHold() {
        assertThat(Elements.fromF16(Elements.toF16(65519.99f))).isEqualTo(65504f);
        assertThatThrownBy(() -> Elements.toF16(-65520f))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("-65520");
    }

    @Test
    void everyF16BecomesTheBf16ThatItIsThroughFloat() {
        ByteBuffer halves = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
        for (int bits = 0; bits < 1 << 16; bits++) {
            halves.putShort((short) bits);
        }
        ByteBuffer converted = ByteBuffer.allocate(2 << 16);
        Elements.convert(halves.flip(), ElementType.F16, converted, ElementType.BF16);
        assertThat(halves.hasRemaining() || converted.hasRemaining()).isFalse();
        converted.flip().order(ByteOrder.LITTLE_ENDIAN);
        for (int bits = 0; bits < 1 << 16; bits++) {
            assertThat(converted.getShort()).isEqualTo(Elements.toBf16(Elements.fromF16((short) bits)));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void convertsBuffersLikeSingleValues(ElementType type) {
        long seed = 20_261_123;
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[1000];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextDouble(-1, 1) * Math.pow(2, random.nextInt(-30, 15)));
        }
        ByteBuffer floats = ByteBuffer.allocate(4000).order(ByteOrder.LITTLE_ENDIAN);
        floats.asFloatBuffer().put(values);
        ByteBuffer converted = ByteBuffer.allocate(1000 * type.bytes());
        Elements.convert(floats, ElementType.F32, converted, type);
        assertThat(floats.hasRemaining() || converted.hasRemaining()).isFalse();
        ByteBuffer back = ByteBuffer.allocate(4000).order(ByteOrder.LITTLE_ENDIAN);
        Elements.convert(converted.flip(), type, back, ElementType.F32);
        back.flip();
        for (float value : values) {
            float expected = switch (type) {
                case F16 -> Elements.fromF16(Elements.toF16(value));
                case BF16 -> Elements.fromBf16(Elements.toBf16(value));
                default -> value;
            };
            assertThat(back.getFloat()).as("seed %d", seed).isEqualTo(expected);
        }
    }
}
