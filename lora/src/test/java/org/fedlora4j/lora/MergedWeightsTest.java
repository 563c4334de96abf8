package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.SafetensorsFile;
import org.fedlora4j.model.weights.WeightSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MergedWeightsTest {
    private static float[] read(WeightSource source, String name, ElementType type, int elements, int piece)
            throws IOException {
        float[] values = new float[elements];
        for (int begin = 0; begin < elements; begin += piece) {
            int count = Math.min(piece, elements - begin);
            ByteBuffer bytes = ByteBuffer.allocate(count * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            source.read(name, begin, type, bytes);
            assertThat(bytes.hasRemaining()).isFalse();
            float[] part = new float[count];
            Elements.decode(bytes.flip(), type, part);
            System.arraycopy(part, 0, values, begin, count);
        }
        return values;
    }

    /** Every weight, read in pieces that begin and end within rows. */
    @ParameterizedTest
    @ValueSource(strings = {"mha-untied-f32", "gqa-tied-bf16"})
    void areThoseOfPeft(String name) throws IOException {
        Path toy = Path.of(System.getProperty("fedlora.golden"), "toy", name);
        try (Checkpoint base = Checkpoint.open(toy);
                SafetensorsFile merged = SafetensorsFile.open(toy.resolve("merged/model.safetensors"))) {
            AdapterState adapter = PeftAdapter.read(toy.resolve("adapter"), base.config());
            WeightSource weights = new MergedWeights(base, adapter);
            List<String> names = ParameterNames.of(base.config())
                    .map(ParameterNames.Parameter::name)
                    .toList();
            int changed = 0;
            for (String weight : names) {
                float[] wanted = merged.floats(weight);
                float[] found = read(weights, weight, ElementType.F32, wanted.length, 32 * 7);
                assertThat(found).containsExactly(wanted, Offset.offset(1e-6f));
                boolean adapted = adapter.modules().containsKey(weight.replaceAll("\\.weight$", ""));
                assertThat(Arrays.equals(found, base.floats(weight))).isEqualTo(!adapted);
                changed += adapted ? 1 : 0;

                // In its own type it is rounded once.
                ElementType type = weights.type(weight);
                assertThat(type).isEqualTo(base.type(weight));
                ByteBuffer rounded = ByteBuffer.allocate(found.length * type.bytes());
                Elements.encode(found, type, rounded);
                Elements.decode(rounded.flip(), type, found);
                assertThat(read(weights, weight, type, wanted.length, wanted.length))
                        .isEqualTo(found);
            }
            assertThat(changed).isEqualTo(adapter.modules().size());
        }
    }
}
