package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that are cut off or altered: each is read, or refused in one line. */
class HostileDataTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {"data.jsonl", "data.json", "task.json", "data.csv", "zstd", "snappy", "gzip", "V2", "plain"})
    void onlyBadInputIsThrown(String format) throws IOException, SQLException {
        Path sound = write(format, Formats.records(format.contains(".") ? 3 : 40));
        byte[] bytes = Files.readAllBytes(sound);
        Path file = folder.resolve("altered-" + sound.getFileName());

        int readable = 0;
        for (int length = 0; length < bytes.length; length++) {
            readable += reads(file, Arrays.copyOf(bytes, length)) ? 1 : 0;
        }
        // Lines before the cut are sound; of the others, only white space and the brackets' ends can be missing.
        assertThat(readable).isLessThanOrEqualTo(format.equals("data.jsonl") || format.equals("data.csv") ? 40 : 1);

        long seed = 20_261_123;
        System.out.println("seed of " + format + ": " + seed);
        Random random = new Random(seed);
        int flips = format.contains(".") ? 2000 : 500;
        for (int i = 0; i < flips; i++) {
            byte[] altered = bytes.clone();
            for (int more = random.nextInt(3); more >= 0; more--) {
                altered[random.nextInt(altered.length)] = (byte) random.nextInt(256);
            }
            reads(file, altered);
        }
    }

    private Path write(String format, List<Map<String, String>> records) throws IOException, SQLException {
        return switch (format) {
            case "data.jsonl" -> Formats.jsonLines(folder, records);
            case "data.json" -> Formats.json(folder, records);
            case "data.csv" -> Formats.csv(folder, format, ',', records);
            case "task.json" -> Files.writeString(folder.resolve(format), """
                    {"URL": [NaN], "Definition": ["Answer."], "Instances": [
                      {"id": "x", "input": "one?", "output": ["1", "I"]}, {"input": "ü?", "output": ["2"]}]}""");
            case "V2" ->
                Formats.parquet(
                        folder, records, "COMPRESSION uncompressed, PARQUET_VERSION V2, DICTIONARY_SIZE_LIMIT 1");
            case "plain" -> Formats.parquet(folder, records, "COMPRESSION uncompressed");
            default -> Formats.parquet(folder, records, "COMPRESSION " + format);
        };
    }

    /** Whether a file is read, with and without its broken records. */
    private static boolean reads(Path file, byte[] bytes) throws IOException {
        Files.write(file, bytes);
        boolean whole = true;
        try {
            assertThat(InstructionData.read(file)).isNotEmpty();
        } catch (BadInputException e) {
            assertOneLine(e);
            whole = false;
        }
        try {
            assertThat(InstructionData.read(file, FieldNames.USUAL, HostileDataTest::assertOneLine))
                    .isNotEmpty();
        } catch (BadInputException e) {
            assertOneLine(e);
            assertThat(whole).isFalse();
        }
        return whole;
    }

    private static void assertOneLine(BadInputException e) {
        assertThat(e.getMessage()).doesNotContain("\n").contains("altered-");
    }
}
