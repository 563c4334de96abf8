package org.fedlora4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.api.Test;

/** What travels between driver and executors. */
class WireTest {
    private static final PartValues VALUES = values(1, -0.0f, Float.MIN_VALUE, 4, 5, 6, 7);

    private static PartValues values(float... seven) {
        return new PartValues(new TreeMap<>(Map.of(
                Part.A,
                new TreeMap<>(Map.of(
                        "k", Matrix.of(1, 2, seven[0], seven[1]),
                        "q", Matrix.of(2, 1, seven[2], seven[3]))),
                Part.B,
                new TreeMap<>(Map.of("q", Matrix.of(3, 1, seven[4], seven[5], seven[6]))))));
    }

    @Test
    void valuesArriveBitByBit() {
        byte[] bytes = Wire.bytes(VALUES);
        assertThat(bytes).hasSize(7 * 4);
        assertThat(Wire.values(bytes, values(0, 0, 0, 0, 0, 0, 0))).isEqualTo(VALUES);
        assertThat(Wire.values(new byte[0], PartValues.NONE)).isEqualTo(PartValues.NONE);
    }

    @Test
    void valuesOfOtherPartsAreRefused() {
        assertThatThrownBy(() -> Wire.values(new byte[7 * 4], VALUES.only(Set.of(Part.A))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("values of 28 bytes, wanted 16 for [A]");
    }
}
