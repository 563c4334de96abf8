package org.fedlora4j.model.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.WeightsDigest.Range;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightsDigestTest {
    /** Its embedding has 640,000 elements, so it is sampled; all else has at most 1,536 and is taken whole. */
    private static final LlamaConfig MODEL =
            new LlamaConfig(20_000, 32, 48, 1, 4, 2, 8, 1e-5, 10_000, new RopeScaling.None(), true, 64);

    private static final String EMBEDDING = "model.embed_tokens.weight";

    @TempDir
    Path folder;

    /** Blocks begin at multiples of (n - 2048) / 7, down to multiples of 32, and the last ends with the last element. */
    @Test
    void samplesAreSpreadEvenly() {
        assertThat(WeightsDigest.samples(16_384)).containsExactly(new Range(0, 16_384));
        // 14,337 / 7 = 2048.1, 4096.3, 6144.4, 8192.6, 10240.7, 12288.9, 14337
        assertThat(WeightsDigest.samples(16_385))
                .containsExactly(
                        new Range(0, 2_048),
                        new Range(2_048, 4_096),
                        new Range(4_096, 6_144),
                        new Range(6_144, 8_192),
                        new Range(8_192, 10_240),
                        new Range(10_240, 12_288),
                        new Range(12_288, 14_336),
                        new Range(14_336, 16_385));
        // 637,952 / 7 = 91,136
        assertThat(WeightsDigest.samples(640_000))
                .startsWith(new Range(0, 2_048), new Range(91_136, 93_184))
                .endsWith(new Range(637_952, 640_000))
                .hasSize(8);
    }

    @Test
    void isTheHashOfNamesTypesShapesAndSamples() throws Exception {
        Path model = write("whole", 0, 0);
        MessageDigest expected = MessageDigest.getInstance("SHA-256");
        for (Parameter parameter : ParameterNames.of(MODEL).toList()) {
            long[] shape = parameter.role().shape(MODEL);
            String size = shape.length == 1 ? "[" + shape[0] + "]" : "[" + shape[0] + ", " + shape[1] + "]";
            expected.update((parameter.name() + " F32 " + size + "\n").getBytes(StandardCharsets.UTF_8));
            byte[] bytes = bytes(values(parameter));
            if (parameter.name().equals(EMBEDDING)) {
                for (int block = 0; block < 8; block++) {
                    expected.update(bytes, 4 * 91_136 * block, 4 * 2_048);
                }
            } else {
                expected.update(bytes);
            }
        }
        assertThat(WeightsDigest.of(model)).isEqualTo(HexFormat.of().formatHex(expected.digest()));
    }

    /** One element beyond the sixth block's end is between samples: that isn't seen, as the class says. */
    @Test
    void seesChangesOfWhatItSamples() throws Exception {
        String digest = WeightsDigest.of(write("whole", 0, 0));
        assertThat(WeightsDigest.of(write("first", 0, 1))).isNotEqualTo(digest);
        assertThat(WeightsDigest.of(write("last", 639_999, 1))).isNotEqualTo(digest);
        assertThat(WeightsDigest.of(write("between", 5 * 91_136 + 2_048, 1))).isEqualTo(digest);
    }

    @Test
    void shardsAreTheSameAsAWholeFileAndAnotherTypeIsNot() throws Exception {
        Path sharded = Files.createDirectory(folder.resolve("sharded"));
        MODEL.write(sharded.resolve("config.json"));
        List<String> places = new ArrayList<>();
        SafetensorsWriter first = new SafetensorsWriter();
        SafetensorsWriter second = new SafetensorsWriter();
        ParameterNames.of(MODEL).forEach(parameter -> {
            boolean inFirst = places.size() % 2 == 0;
            (inFirst ? first : second).floats(parameter.name(), parameter.role().shape(MODEL), values(parameter));
            places.add("\"" + parameter.name() + "\": \"" + (inFirst ? "first" : "second") + ".safetensors\"");
        });
        first.write(sharded.resolve("first.safetensors"));
        second.write(sharded.resolve("second.safetensors"));
        Files.writeString(
                sharded.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {" + String.join(", ", places) + "}}");
        String digest = WeightsDigest.of(write("whole", 0, 0));
        assertThat(WeightsDigest.of(sharded)).isEqualTo(digest);

        Path half = Files.createDirectory(folder.resolve("half"));
        MODEL.write(half.resolve("config.json"));
        SafetensorsWriter writer = new SafetensorsWriter();
        ParameterNames.of(MODEL)
                .forEach(parameter -> writer.tensor(
                        parameter.name(), ElementType.BF16, parameter.role().shape(MODEL), out -> {
                            byte[] bytes = bytes(values(parameter));
                            ByteArrayOutputStream upper = new ByteArrayOutputStream();
                            for (int i = 0; i < bytes.length; i += 4) {
                                upper.write(bytes, i + 2, 2);
                            }
                            upper.writeTo(out);
                        }));
        writer.write(half.resolve("model.safetensors"));
        assertThat(WeightsDigest.of(half)).isNotEqualTo(digest);
    }

    /** The model in a folder of its own, with so much added to one element of its embedding. */
    private Path write(String name, int element, float added) throws IOException {
        Path model = Files.createDirectory(folder.resolve(name));
        MODEL.write(model.resolve("config.json"));
        SafetensorsWriter writer = new SafetensorsWriter();
        ParameterNames.of(MODEL).forEach(parameter -> {
            float[] values = values(parameter);
            if (parameter.name().equals(EMBEDDING)) {
                values[element] += added;
            }
            writer.floats(parameter.name(), parameter.role().shape(MODEL), values);
        });
        writer.write(model.resolve("model.safetensors"));
        return model;
    }

    private static float[] values(Parameter parameter) {
        Random random = new Random(parameter.name().hashCode());
        float[] values = new float[(int) parameter.role().elements(MODEL)];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        return values;
    }

    private static byte[] bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }
}
