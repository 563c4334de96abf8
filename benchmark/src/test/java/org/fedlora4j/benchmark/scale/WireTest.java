package org.fedlora4j.benchmark.scale;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.fedlora4j.federation.Phase;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WireTest {
    /** Queries 32 wide, keys and values 16, feed-forward 48, two layers. */
    private static final LlamaConfig MODEL =
            new LlamaConfig(98, 32, 48, 2, 4, 2, 8, 1e-5, 10_000, new RopeScaling.None(), true, 512);

    private static final LoraConfig LORA = LoraConfig.of(3, 6, "q_proj", "v_proj", "down_proj");

    static Stream<String> recipes() {
        return RecipeFile.BUILT_IN.stream();
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void bytesAreThoseOfTheSharedParts(String name) throws IOException {
        Recipe recipe = RecipeFile.load(name);
        for (MagnitudeAxis axis : MagnitudeAxis.values()) {
            SharedParts shared = new SharedParts(ones(), axis);
            for (Phase phase : recipe.phases()) {
                assertThat(Wire.of(MODEL, LORA).bytes(phase, axis))
                        .as("%s, %s, by %s", name, phase.name(), axis)
                        .isEqualTo(shared.values(phase.share()).bytes(LORA.rank()));
            }
        }
    }

    /** 2 layers of A: 3 (32 + 32 + 48), B: 3 (32 + 16 + 32) values; a round sends both, and then A's direction. */
    @Test
    void ofARound() throws IOException {
        Wire wire = Wire.of(MODEL, LORA);
        assertThat(wire.bytesOfMatrices()).isEqualTo(2 * 4 * 3 * (112 + 80));
        assertThat(wire.bytesPerRound(RecipeFile.load("fedlora-optimizer")))
                .isEqualTo(2 * 4 * 3 * (112 + 80) + 2 * 4 * 3 * 112);
    }

    private static AdapterState ones() {
        SortedMap<String, LoraPair> pairs = new TreeMap<>();
        for (Map.Entry<String, ModuleShape> module : ModuleShape.of(MODEL, LORA).entrySet()) {
            pairs.put(
                    module.getKey(),
                    new LoraPair(
                            ones(LORA.rank(), module.getValue().in()),
                            ones(module.getValue().out(), LORA.rank())));
        }
        return new AdapterState(LORA, pairs);
    }

    private static Matrix ones(int rows, int columns) {
        Matrix ones = Matrix.zeros(rows, columns);
        Arrays.fill(ones.values(), 1);
        return ones;
    }
}
