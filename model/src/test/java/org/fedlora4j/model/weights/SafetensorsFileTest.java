package org.fedlora4j.model.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class SafetensorsFileTest {
    @TempDir
    Path temporary;

    private Path write(byte[] file) throws IOException {
        return Files.write(temporary.resolve("a.safetensors"), file);
    }

    private static byte[] file(String header, byte[] data) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Long.BYTES + json.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .put(data)
                .array();
    }

    private static ByteBuffer littleEndian(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A sound file of two tensors and metadata. */
    private static byte[] sound() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new SafetensorsWriter()
                .metadata("format", "pt")
                .floats("a", new long[] {2, 3}, new float[] {1, 2, 3, 4, 5, 6})
                .tensor("b", ElementType.I64, new long[] {2}, stream -> stream.write(new byte[16]))
                .writeTo(out);
        return out.toByteArray();
    }

    @Test
    void everyCutFileIsBadInput() throws IOException {
        byte[] file = sound();
        for (int length = 0; length < file.length; length++) {
            Path path = write(Arrays.copyOf(file, length));
            assertThatThrownBy(() -> SafetensorsFile.open(path).close())
                    .as("cut to %d of %d bytes", length, file.length)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("a.safetensors");
        }
        SafetensorsFile.open(write(file)).close();
    }

    @Test
    void damagedFilesOpenOrAreBadInput() throws IOException {
        byte[] file = sound();
        int opened = 0;
        int refused = 0;
        for (int seed = 0; seed < 1000; seed++) {
            Random random = new Random(seed);
            byte[] damaged = file.clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            try (SafetensorsFile safetensors = SafetensorsFile.open(write(damaged))) {
                for (TensorInfo tensor : safetensors.tensors().values()) {
                    assertThat(tensor.end()).as("seed %d", seed).isLessThanOrEqualTo(damaged.length);
                }
                opened++;
            } catch (BadInputException e) {
                assertThat(e).as("seed %d", seed).hasMessageContaining("a.safetensors");
                refused++;
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(opened).isPositive();
        assertThat(refused).isPositive();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [4, 8]}} | a begins at byte",
                "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}} | the last tensor ends at byte",
                "{\"a\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [0, 12]}} | a ends at byte",
                "{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [8, 0]}} | a: has bytes",
                "{\"a\": {\"dtype\": \"F32\", \"shape\": [-2], \"data_offsets\": [0, 8]}} | a: has shape [-2]",
                "{\"a\": {\"dtype\": \"F32\", \"shape\": [2.0], \"data_offsets\": [0, 8]}} | a: shape is [2.0]",
                "{\"a\": {\"dtype\": \"F32\", \"shape\": 2, \"data_offsets\": [0, 8]}} | a: shape is 2; wanted a list",
                "{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0]}} | a: data_offsets is [0]",
                "{\"a\": {\"dtype\": \"F32\", \"shape\": [2]}} | a: data_offsets",
                "{\"a\": {\"dtype\": \"F33\", \"shape\": [2], \"data_offsets\": [0, 8]}} | a: dtype is \"F33\"; wanted",
                "{\"a\": {\"shape\": [2], \"data_offsets\": [0, 8]}} | a: dtype is missing",
                "{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 9223372036854775807]}} | a: data_offsets",
                "{\"a\": {\"dtype\": \"F64\", \"shape\": [2305843009213693952], \"data_offsets\": [0, 8]}} | a: has shape",
                "{\"a\": {\"dtype\": \"F64\", \"shape\": [1152921504606846976], \"data_offsets\": [0, 8]}} | a: has shape",
                "{\"a\": 1} | a is 1; wanted an object",
                "{\"a\": null} | a is missing; wanted an object",
                "{\"__metadata__\": {\"x\": 1}} | __metadata__: x is 1; wanted a text",
                "{} | the last tensor ends at byte",
            })
    void refusesByName(String header, String message) throws IOException {
        Path path = write(file(header, new byte[8]));
        assertThatThrownBy(() -> SafetensorsFile.open(path).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("a.safetensors: " + message);
    }

    @Test
    void missingFilesAndTensorsAreNamed() throws IOException {
        assertThatThrownBy(() ->
                        SafetensorsFile.open(temporary.resolve("b.safetensors")).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("b.safetensors: no such file");
        try (SafetensorsFile file = SafetensorsFile.open(write(sound()))) {
            assertThatThrownBy(() -> file.floats("c"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("a.safetensors: c is missing");
            assertThatThrownBy(() -> file.floats("b"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("a.safetensors: b is I64; wanted F32");
            assertThatThrownBy(() -> file.longs("a")).hasMessageContaining("a is F32; wanted I64 or I32");
            assertThatThrownBy(() -> file.array("b")).hasMessageContaining("b is I64; wanted F32, BF16 or F16");
        }
    }

    @Test
    void readsEveryType() throws IOException {
        byte[] data = littleEndian(40)
                .putDouble(0.1)
                .putLong(-7)
                .putLong(1L << 40)
                .putInt(-3)
                .putFloat(1.5f)
                .putShort((short) 0x3C01)
                .putShort((short) 0xC000)
                .putShort((short) 0x3F81)
                .putShort((short) 0xFF80)
                .array();
        Path path = write(file("""
                {"d": {"dtype": "F64", "shape": [], "data_offsets": [0, 8]},
                 "l": {"dtype": "I64", "shape": [2], "data_offsets": [8, 24]},
                 "i": {"dtype": "I32", "shape": [1], "data_offsets": [24, 28]},
                 "f": {"dtype": "F32", "shape": [1, 1], "data_offsets": [28, 32]},
                 "h": {"dtype": "F16", "shape": [2], "data_offsets": [32, 36]},
                 "b": {"dtype": "BF16", "shape": [2], "data_offsets": [36, 40]}}
                """, data));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.tensors().keySet()).containsExactly("d", "l", "i", "f", "h", "b");
            assertThat(file.doubles("d")).containsExactly(0.1);
            assertThat(file.floats("d")).containsExactly(0.1f);
            assertThat(file.longs("l")).containsExactly(-7, 1L << 40);
            assertThat(file.longs("i")).containsExactly(-3);
            assertThat(file.floats("f")).containsExactly(1.5f);
            assertThat(file.doubles("f")).containsExactly(1.5);
            assertThat(file.floats("h")).containsExactly(1 + 1 / 1024f, -2);
            assertThat(file.floats("b")).containsExactly(1 + 1 / 128f, Float.NEGATIVE_INFINITY);
            assertThat(file.array("f").toFloatMatrix()).isDeepEqualTo(new float[][] {{1.5f}});
            assertThat(file.array("h").castTo(DataType.FLOAT).toFloatVector()).containsExactly(1 + 1 / 1024f, -2);
        }
    }

    /** All 65,536 values, against the format's definition (IEEE 754 binary16). */
    @Test
    void halfPrecisionIsExact() throws IOException {
        byte[] data = new byte[1 << 17];
        for (int bits = 0; bits < 1 << 16; bits++) {
            data[2 * bits] = (byte) bits;
            data[2 * bits + 1] = (byte) (bits >> 8);
        }
        Path path =
                write(file("{\"a\": {\"dtype\": \"F16\", \"shape\": [65536], \"data_offsets\": [0, 131072]}}", data));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            float[] values = file.floats("a");
            for (int bits = 0; bits < 1 << 16; bits++) {
                int exponent = bits >> 10 & 31;
                int fraction = bits & 1023;
                double magnitude = switch (exponent) {
                    case 0 -> fraction * Math.pow(2, -24);
                    case 31 -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
                    default -> (1024 + fraction) * Math.pow(2, exponent - 25);
                };
                Double expected = bits < 1 << 15 ? magnitude : -magnitude;
                assertThat(Double.valueOf(values[bits])).as("bits %x", bits).isEqualTo(expected);
            }
        }
    }

    /** Java's own maps end at 2^31 bytes; the file is a hole but for its last row. */
    @Test
    void mapsTensorsBeyondTwoGigabytes() throws IOException {
        long rows = (1L << 20) + 1;
        byte[] head = file(
                "{\"a\": {\"dtype\": \"BF16\", \"shape\": [" + rows + ", 1100], \"data_offsets\": [0, " + rows * 2200
                        + "]}}",
                new byte[0]);
        Path path = write(head);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.seek(head.length + rows * 2200 - 2);
            file.write(new byte[] {(byte) 0x80, 0x3F});
        }
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            INDArray last = file.array("a").getRow(rows - 1).castTo(DataType.FLOAT);
            assertThat(last.getFloat(1099)).isEqualTo(1);
            assertThat(last.sumNumber().floatValue()).isEqualTo(1);
        }
    }

    @Test
    void bothKindsOfMapsShowTheFile() throws IOException {
        byte[] bytes = new byte[10_000];
        new Random(1).nextBytes(bytes);
        Path path = write(bytes);
        for (MappedFile mapped :
                new MappedFile[] {new MappedFile.Whole(path, bytes.length), new MappedFile.Pieces(path)}) {
            byte[] read = new byte[4000];
            mapped.view(4099, 4000).asByteBuffer().get(read);
            assertThat(read).isEqualTo(Arrays.copyOfRange(bytes, 4099, 8099));
        }
    }
}
