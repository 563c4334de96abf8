package org.fedlora4j.converter.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import org.apache.commons.compress.archivers.zip.Zip64Mode;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.weights.ElementType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TorchFileTest {
    private static final int CENTRAL_SIGNATURE = 0x02014b50;
    private static final int STORAGE_BYTES = 48;

    @TempDir
    Path folder;

    /** A tensor {@code a}, F32 [2, 3], from the fifth on of the twelve elements 0, 1, 2, ... */
    private static Map<String, byte[]> files() {
        ByteBuffer storage = ByteBuffer.allocate(STORAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < STORAGE_BYTES / Float.BYTES; i++) {
            storage.putFloat(i);
        }
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("model/data.pkl", pickle("FloatStorage"));
        files.put("model/byteorder", bytes("little"));
        files.put("model/data/0", storage.array());
        files.put("model/version", bytes("3\n"));
        return files;
    }

    private static byte[] pickle(String type) {
        return Pickles.protocol2()
                .ops("}")
                .text("a")
                .tensor(type, "0", 12, 4, new int[] {2, 3}, 3, 1)
                .ops("s")
                .stop();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] zip(Map<String, byte[]> files, int method, Zip64Mode mode) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(bytes)) {
            zip.setUseZip64(mode);
            zip.setMethod(method);
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                ZipArchiveEntry entry = new ZipArchiveEntry(file.getKey());
                CRC32 crc = new CRC32();
                crc.update(file.getValue());
                entry.setSize(file.getValue().length);
                entry.setCrc(crc.getValue());
                zip.putArchiveEntry(entry);
                zip.write(file.getValue());
                zip.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] zip(Map<String, byte[]> files) throws IOException {
        return zip(files, ZipArchiveOutputStream.STORED, Zip64Mode.Never);
    }

    private TorchFile open(byte[] file) throws IOException {
        return TorchFile.open(Files.write(folder.resolve("model.bin"), file));
    }

    private static float[] read(TorchFile file, String name) throws IOException {
        ByteBuffer out = ByteBuffer.allocate(6 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        file.read(name, 0, ElementType.F32, out);
        float[] values = new float[6];
        out.flip().asFloatBuffer().get(values);
        return values;
    }

    private void assertRefused(byte[] file, String message) {
        assertThatThrownBy(() -> open(file).close())
                .isInstanceOf(BadInputException.class)
                .message()
                .startsWith(folder.resolve("model.bin") + ": ")
                .contains(message)
                .doesNotContain("\n");
    }

    private void assertRefused(String changed, byte[] content, String message) throws IOException {
        Map<String, byte[]> files = files();
        files.put(changed, content);
        assertRefused(zip(files), message);
    }

    @ParameterizedTest
    @EnumSource(names = {"Never", "Always"})
    void readsTensors(Zip64Mode mode) throws IOException {
        try (TorchFile file = open(zip(files(), ZipArchiveOutputStream.STORED, mode))) {
            assertThat(file.names()).containsExactly("a");
            assertThat(file.type("a")).isEqualTo(ElementType.F32);
            assertThat(file.shape("a")).containsExactly(2, 3);
            assertThat(read(file, "a")).containsExactly(4, 5, 6, 7, 8, 9);
            ByteBuffer rounded = ByteBuffer.allocate(2);
            file.read("a", 5, ElementType.BF16, rounded);
            assertThat(rounded.array()).containsExactly(0x10, 0x41);
            assertThatThrownBy(() -> file.type("b"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("b is missing");
        }
    }

    @Test
    void everyPrefixIsRefused() throws IOException {
        byte[] file = zip(files());
        for (int length = 0; length < file.length; length++) {
            assertRefused(Arrays.copyOf(file, length), "");
        }
    }

    /** Flips anywhere in a small file, and in the directory of one that PyTorch wrote. */
    @Test
    void changedBytesAreRefusedOrHarmless() throws IOException {
        byte[] small = zip(files(), ZipArchiveOutputStream.STORED, Zip64Mode.Always);
        byte[] real = Files.readAllBytes(
                Path.of(System.getProperty("fedlora.golden"), "toy/theta-1e6-bf16/pytorch_model-00002-of-00003.bin"));
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int refused = 0;
        for (int run = 0; run < 2000; run++) {
            byte[] damaged = (run % 4 == 0 ? real : small).clone();
            int area = Math.min(damaged.length, 1500);
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                damaged[damaged.length - 1 - random.nextInt(area)] = (byte) random.nextInt(256);
            }
            try (TorchFile file = open(damaged)) {
                for (String name : file.names()) {
                    if (file.type(name) == ElementType.F32) {
                        read(file, name);
                    }
                }
            } catch (BadInputException e) {
                assertThat(e.getMessage())
                        .as("seed %d", seed)
                        .startsWith(folder.resolve("model.bin") + ": ")
                        .doesNotContain("\n", "\r");
                refused++;
            } catch (IOException | RuntimeException e) {
                throw new AssertionError("seed " + seed + ", run " + run, e);
            }
        }
        assertThat(refused).isBetween(1, 1999);
    }

    @Test
    void refusesOtherFormatsByName() throws IOException {
        assertRefused(new byte[0], "does not begin as a zip archive");
        assertRefused(pickle("FloatStorage"), "a bare pickle, the format before PyTorch 1.6");
        byte[] tar = new byte[1024];
        System.arraycopy(bytes("ustar"), 0, tar, 257, 5);
        assertRefused(tar, "a tar archive, the format before PyTorch 0.2");
        assertRefused("model/constants.pkl", new byte[0], "a TorchScript archive");
        assertRefused(
                zip(files(), ZipArchiveOutputStream.DEFLATED, Zip64Mode.Never),
                "model/data.pkl is compressed or encrypted");
    }

    @Test
    void refusesArchivesThatAreNone() throws IOException {
        Map<String, byte[]> files = files();
        files.remove("model/data.pkl");
        assertRefused(zip(files), "has 0 files FOLDER/data.pkl; wanted one");
        assertRefused("other/data.pkl", pickle("FloatStorage"), "has 2 files FOLDER/data.pkl");
        assertRefused("model/byteorder", bytes("big"), "model/byteorder is big; wanted little");
        assertRefused("model/byteorder", bytes("lit\ntle"), "model/byteorder is unknown; wanted little");
        assertRefused("model/byteorder", new byte[9], "model/byteorder has 9 bytes; wanted at most 8");
        assertRefused("model/data.pkl", new byte[(16 << 20) + 1], "model/data.pkl has 16777217 bytes; wanted at most");
        assertRefused("a\nb", new byte[0], "control characters");
    }

    @Test
    void refusesWhatIsNoDictOfTensors() throws IOException {
        assertRefused("model/data.pkl", Pickles.protocol2().ops("N").stop(), "holds None; wanted a dict of tensors");
        assertRefused(
                "model/data.pkl",
                Pickles.protocol2().ops("}").text("step").ops("K\1s").stop(),
                "step is the number 1; wanted a tensor");
        assertRefused(
                "model/data.pkl",
                Pickles.protocol2().ops("}").text("state_dict").ops("}s").stop(),
                "state_dict is a dict; wanted a tensor");
        assertRefused(
                "model/data/0", new byte[STORAGE_BYTES - 1], "storage data/0 of a has 47 bytes; wanted 48, for 12");
        assertRefused("model/data.pkl", pickle("DoubleStorage"), "has 48 bytes; wanted 96, for 12 elements of F64");
        Map<String, byte[]> files = files();
        files.remove("model/data/0");
        assertRefused(zip(files), "a is in storage data/0, which is missing");
    }

    /** Fields of the central directory's third entry, {@code model/data/0}; see the zip format's 4.3.12. */
    @ParameterizedTest
    @CsvSource({
        "8, 1, compressed or encrypted", // flags
        "10, 8, compressed or encrypted", // method
        "20, 2147483647, not a sound zip archive", // compressed size
        "24, 2147483647, compressed or encrypted", // size
        "42, 0, wanted none of another file", // place: the first entry's
        "42, 2147483647, not a sound zip archive",
    })
    void refusesDirectoriesThatLie(int field, int value, String message) throws IOException {
        byte[] file = zip(files());
        int entry = central(file, 2);
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        if (field < 20) {
            buffer.putShort(entry + field, (short) value);
        } else {
            buffer.putInt(entry + field, value);
        }
        assertRefused(file, message);
    }

    @Test
    void refusesSizesBeyondTheFile() throws IOException {
        byte[] file = zip(files());
        ByteBuffer.wrap(file)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(central(file, 3) + 20, Integer.MAX_VALUE)
                .putInt(central(file, 3) + 24, Integer.MAX_VALUE);
        assertRefused(file, "not a sound zip archive");
    }

    /** Sizes in the zip64 field, which follows the name: its tag, length, size, compressed size. */
    @ParameterizedTest
    @CsvSource({
        "-1, not a sound zip archive",
        "9223372036854775807, has 9223372036854775807 bytes from byte",
        "9223372036854775700, has 9223372036854775700 bytes from byte",
        "4294967296, not a sound zip archive",
    })
    void refusesAbsurdZip64Sizes(long size, String message) throws IOException {
        byte[] file = zip(files(), ZipArchiveOutputStream.STORED, Zip64Mode.Always);
        int field = central(file, 3) + 46 + "model/version".length() + 4;
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(buffer.getLong(field)).isEqualTo(2);
        buffer.putLong(field, size).putLong(field + Long.BYTES, size);
        assertRefused(file, message);
    }

    @Test
    void refusesANameThatIsThereTwice() throws IOException {
        Map<String, byte[]> files = files();
        files.put("model/data/1", new byte[STORAGE_BYTES]);
        byte[] file = zip(files);
        file[central(file, 4) + 46 + "model/data/".length()] = '0';
        assertRefused(file, "model/data/0 is there twice");
    }

    @Test
    void checksThePicklesCrcWhereThereIsOne() throws IOException {
        byte[] file = zip(files());
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(central(file, 0) + 16, 0);
        open(file).close();
        buffer.putInt(central(file, 0) + 16, 1);
        assertRefused(file, "wanted 00000001");
    }

    @Test
    void aFolderIsRefused() {
        assertThatThrownBy(() -> TorchFile.open(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("a folder; wanted one that torch.save wrote");
    }

    /** Where the central directory has an entry. */
    private static int central(byte[] file, int entry) {
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int found = -1;
        for (int position = 0; position < file.length - 4; position++) {
            if (buffer.getInt(position) == CENTRAL_SIGNATURE && ++found == entry) {
                return position;
            }
        }
        throw new AssertionError("no entry " + entry);
    }
}
