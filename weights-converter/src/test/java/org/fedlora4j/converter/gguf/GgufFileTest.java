package org.fedlora4j.converter.gguf;

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
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class GgufFileTest {
    @TempDir
    Path temporary;

    /** Puts a file together field by field, sound or not. */
    private static final class Bytes {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Bytes int8(int value) {
            out.write(value);
            return this;
        }

        Bytes int32(long value) {
            out.writeBytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt((int) value)
                    .array());
            return this;
        }

        Bytes int64(long value) {
            out.writeBytes(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(value)
                    .array());
            return this;
        }

        Bytes text(String value) {
            byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
            int64(bytes.length);
            out.writeBytes(bytes);
            return this;
        }

        Bytes header(long version, long tensors, long keys) {
            return int32(GgufFile.MAGIC).int32(version).int64(tensors).int64(keys);
        }

        Bytes tensor(String name, long type, long offset, long... dimensions) {
            text(name).int32(dimensions.length);
            for (long dimension : dimensions) {
                int64(dimension);
            }
            return int32(type).int64(offset);
        }

        Bytes data(int bytes) {
            while (out.size() % 32 != 0) {
                out.write(0);
            }
            out.writeBytes(new byte[bytes]);
            return this;
        }
    }

    private GgufFile open(Bytes bytes) throws IOException {
        Path file = temporary.resolve("file.gguf");
        Files.write(file, bytes.out.toByteArray());
        return GgufFile.open(file);
    }

    @Test
    void readsVersionTwoAndEveryTypeOfValue() throws IOException {
        Bytes bytes = new Bytes().header(2, 1, 15);
        bytes.text("u8").int32(0).int8(255).text("i8").int32(1).int8(7);
        bytes.text("u16")
                .int32(2)
                .int8(255)
                .int8(255)
                .text("i16")
                .int32(3)
                .int8(1)
                .int8(0);
        bytes.text("u32").int32(4).int32(70_000).text("i32").int32(5).int32(-2);
        bytes.text("f32").int32(6).int32(Float.floatToIntBits(0.1f));
        bytes.text("bool").int32(7).int8(1).text("text").int32(8).text("höher");
        bytes.text("u64").int32(10).int64(12).text("i64").int32(11).int64(13);
        bytes.text("f64").int32(12).int64(Double.doubleToLongBits(0.1));
        bytes.text("texts").int32(9).int32(8).int64(2).text("a").text("");
        bytes.text("floats").int32(9).int32(6).int64(1).int32(Float.floatToIntBits(2f));
        bytes.text("skipped").int32(9).int32(10).int64(2).int64(1).int64(2);
        bytes.tensor("w", 0, 32, 2, 3).data(56);
        try (GgufFile file = open(bytes)) {
            GgufMetadata metadata = file.metadata();
            assertThat(List.of("u8", "i8", "u16", "i16", "u32", "u64", "i64"))
                    .extracting(metadata::requireInteger)
                    .containsExactly(255, 7, 65535, 1, 70_000, 12, 13);
            assertThatThrownBy(() -> metadata.integer("i32")).hasMessageContaining("i32 is -2");
            assertThat(metadata.requireNumber("f32")).isEqualTo(0.1);
            assertThat(metadata.requireNumber("f64")).isEqualTo(0.1);
            assertThat(metadata.bool("bool")).contains(true);
            assertThat(metadata.text("text")).contains("höher");
            assertThat(metadata.texts("texts")).containsExactly("a", "");
            assertThat(metadata.floats("floats")).containsExactly(2f);
            assertThatThrownBy(() -> metadata.texts("skipped")).hasMessageContaining("skipped is an array of another");
            GgufTensor tensor = Objects.requireNonNull(file.tensors().get("w"));
            assertThat(tensor.shape()).containsExactly(3L, 2L);
            assertThat(tensor.end()).isEqualTo(Files.size(file.path()));
        }
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                refused(
                        "does not begin with GGUF",
                        bytes -> bytes.int32(0x46554746).int32(3)),
                refused("does not begin with GGUF", bytes -> bytes.int8('G')),
                refused("version is 1; wanted 2 or 3", bytes -> bytes.header(1, 0, 0)),
                // Big-endian.
                refused("version is 50331648", bytes -> bytes.header(3 << 24, 0, 0)),
                refused("the number of tensors is 18446744073709551615", bytes -> bytes.header(3, -1, 0)),
                refused("the number of tensors is 1;", bytes -> bytes.header(3, 1, 0)),
                refused("the number of keys is 1152921504606846976", bytes -> bytes.header(3, 0, 1L << 60)),
                refused(
                        "the length of key 0 is 9223372036854775807",
                        bytes -> bytes.header(3, 0, 1).int64(Long.MAX_VALUE).data(64)),
                refused(
                        "key 0 is not UTF-8",
                        bytes -> bytes.header(3, 0, 1).int64(1).int8(0xff).data(64)),
                refused(
                        "k has the type of values 13",
                        bytes -> bytes.header(3, 0, 1).text("k").int32(13).data(64)),
                refused(
                        "the length of k is 1099511627776",
                        bytes -> bytes.header(3, 0, 1)
                                .text("k")
                                .int32(9)
                                .int32(0)
                                .int64(1L << 40)
                                .data(64)),
                refused(
                        "k is an array of arrays",
                        bytes -> bytes.header(3, 0, 1)
                                .text("k")
                                .int32(9)
                                .int32(9)
                                .int64(1)
                                .data(64)),
                refused(
                        "k is there twice",
                        bytes -> bytes.header(3, 0, 2)
                                .text("k")
                                .int32(8)
                                .text("")
                                .text("k")
                                .int32(8)
                                .text("")
                                .data(64)),
                refused(
                        "general.alignment is 24",
                        bytes -> bytes.header(3, 0, 1)
                                .text("general.alignment")
                                .int32(4)
                                .int32(24)
                                .data(64)),
                refused(
                        "w is there twice",
                        bytes -> bytes.header(3, 2, 0)
                                .tensor("w", 0, 0, 1)
                                .tensor("w", 0, 32, 1)
                                .data(64)),
                refused(
                        "w and v overlap",
                        bytes -> bytes.header(3, 2, 0)
                                .tensor("w", 0, 0, 9)
                                .tensor("v", 0, 32, 1)
                                .data(64)),
                refused(
                        "w has 0 dimensions",
                        bytes -> bytes.header(3, 1, 0).tensor("w", 0, 0).data(64)),
                refused(
                        "w has 5 dimensions",
                        bytes -> bytes.header(3, 1, 0)
                                .tensor("w", 0, 0, 1, 1, 1, 1, 1)
                                .data(64)),
                refused(
                        "w has the dimension 0",
                        bytes -> bytes.header(3, 1, 0).tensor("w", 0, 0, 0).data(64)),
                refused(
                        "wanted fewer than 2^63 bytes",
                        bytes -> bytes.header(3, 1, 0)
                                .tensor("w", 0, 0, 1L << 32, 1L << 32)
                                .data(64)),
                refused(
                        "w is Q6_K; wanted F32, F16, BF16, Q8_0, Q4_0, Q4_1",
                        bytes -> bytes.header(3, 1, 0).tensor("w", 14, 0, 32).data(64)),
                refused(
                        "w is of type 250; wanted F32",
                        bytes -> bytes.header(3, 1, 0).tensor("w", 250, 0, 32).data(64)),
                refused(
                        "w is of type 4;",
                        bytes -> bytes.header(3, 1, 0).tensor("w", 4, 0, 32).data(64)),
                refused(
                        "w has rows of 33 elements; wanted a multiple of 32, as it is Q8_0",
                        bytes -> bytes.header(3, 1, 0).tensor("w", 8, 0, 33).data(64)),
                refused(
                        "w has the offset 4; wanted a multiple of 32",
                        bytes -> bytes.header(3, 1, 0).tensor("w", 0, 4, 1).data(64)),
                refused(
                        "w ends at byte 68 of the data; wanted at most 64",
                        bytes -> bytes.header(3, 1, 0).tensor("w", 0, 0, 17).data(64)),
                refused(
                        "w has the shape [9]",
                        bytes -> bytes.header(3, 1, 0)
                                .tensor("w", 0, Long.MAX_VALUE - 31, 9)
                                .data(64)
                                .data(64)));
    }

    private static Arguments refused(String message, UnaryOperator<Bytes> content) {
        return Arguments.of(message, content);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void refusesUnsoundHeaders(String message, UnaryOperator<Bytes> content) {
        assertThatThrownBy(() -> open(content.apply(new Bytes())))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("file.gguf: ")
                .hasMessageContaining(message);
    }

    /** A file may be larger than a header may be. */
    @Test
    void refusesAHeaderWithoutEnd() throws IOException {
        Path path = temporary.resolve("large.gguf");
        Bytes head = new Bytes().header(3, 0, 2).text("k").int32(9).int32(0).int64(60 << 20);
        Files.write(path, head.out.toByteArray());
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(file.length() + (60 << 20));
            file.seek(file.length());
            file.write(
                    new Bytes().text("j").int32(9).int32(0).int64(60 << 20).out.toByteArray());
            file.setLength(file.length() + (60 << 20));
        }
        assertThatThrownBy(() -> GgufFile.open(path))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("the length of j is 62914560; wanted at most 4194");
    }

    @ParameterizedTest
    @CsvSource({
        "9.999999747378752e-06, 1e-5",
        "0.10000000149011612, 0.1",
        "500000, 500000",
        "1e6, 1e6",
        "16777216, 16777216",
        "1.1754943508222875e-38, 1.1754944e-38",
        "1.401298464324817e-45, 1e-45",
        "-2.5, -2.5"
    })
    void readsTheDecimalThatWasMeant(double stored, double meant) {
        assertThat(GgufMetadata.shortestDecimal((float) stored)).isEqualTo(meant);
    }
}
