package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against DuckDB's writer. */
class ParquetFileTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "COMPRESSION uncompressed",
                "COMPRESSION snappy",
                "COMPRESSION zstd",
                "COMPRESSION gzip",
                "COMPRESSION lz4_raw",
                "COMPRESSION zstd, PARQUET_VERSION V2, DICTIONARY_SIZE_LIMIT 1",
                "COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1",
            })
    void readsCodecsAndEncodingsInSeveralGroups(String options) throws IOException, SQLException {
        List<Map<String, String>> records = Formats.records(5000);
        List<InstructionRecord> read = InstructionData.read(Formats.parquet(folder, records, options));
        List<InstructionRecord> wanted = InstructionData.read(Formats.jsonLines(folder, records));
        assertThat(read).hasSize(5000);
        assertThat(read.get(4999).id()).isEqualTo("data.parquet:5000");
        for (int i = 0; i < 5000; i++) {
            InstructionRecord record = wanted.get(i);
            assertThat(read.get(i))
                    .isEqualTo(new InstructionRecord(
                            record.instruction(),
                            record.input(),
                            record.response(),
                            record.category(),
                            "data.parquet:" + (i + 1)));
        }
    }

    @Test
    void otherColumnsMayBeOfAnyTypeAndIdsNumbers() throws IOException, SQLException {
        Path file = Formats.parquet(
                folder,
                "SELECT {'x': [1, 2], 'y': {'z': 1.5}} AS first, 'a' AS instruction, [1] AS list, 'c' AS output,"
                        + " 12::BIGINT AS id, 3::INTEGER AS n",
                "COMPRESSION zstd");
        assertThat(InstructionData.read(file)).containsExactly(new InstructionRecord("a", "", "c", "", "12"));
    }

    @Test
    void skipsRowsThatAreNotSound() throws IOException, SQLException {
        Path file = Formats.parquet(
                folder,
                "SELECT * FROM (VALUES ('a'::BLOB, 'x'), ('\\xFF'::BLOB, 'x'), (NULL, 'x'), ('d'::BLOB, ''),"
                        + " ('e'::BLOB, 'y')) AS t(instruction, output)",
                "COMPRESSION snappy");
        List<String> skipped = new ArrayList<>();
        assertThat(InstructionData.read(file, FieldNames.USUAL, problem -> skipped.add(problem.getMessage())))
                .extracting(InstructionRecord::id)
                .containsExactly("data.parquet:1", "data.parquet:5");
        assertThat(skipped)
                .containsExactly(
                        file + " row 2: instruction: not UTF-8",
                        file + " row 3: instruction is null, wanted a string",
                        file + " row 4: output is empty, wanted a text");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            SELECT 'a' AS instruction, 7 AS output             | row 1: output is a number, wanted a string
            SELECT 'a' AS instruction, 7.5::DOUBLE AS output   | output is of type REQUIRED DOUBLE, wanted strings
            SELECT 'a' AS instruction, ['c'] AS output         | output is of type group, wanted strings
            SELECT 'a' AS instruction, 'c' AS answer           | row 1: no output or response, wanted one beside answer
            SELECT 'a' AS instruction, 'c' AS output LIMIT 0   | no records
            """)
    void refusesOtherColumns(String query, String problem) throws SQLException {
        Path file = Formats.parquet(folder, query, "COMPRESSION zstd");
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(problem);
    }

    @Test
    void refusesCodecsThatItDoesNotHave() throws SQLException {
        Path file = Formats.parquet(folder, "SELECT 'a' AS instruction, 'c' AS output", "COMPRESSION brotli");
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(
                        "not sound Parquet: compressed with BROTLI, wanted SNAPPY, ZSTD, GZIP, LZ4_RAW or nothing");
    }

    @Test
    void refusesMetadataThatClaimsMoreThanTheFileHolds() throws IOException, SQLException {
        Path file = Formats.parquet(folder, Formats.records(20), "COMPRESSION zstd");
        byte[] bytes = Files.readAllBytes(file);
        for (int length : new int[] {Integer.MAX_VALUE, -1, bytes.length, bytes.length - 11, 0}) {
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(bytes.length - 8, length);
            Files.write(file, bytes);
            assertThatThrownBy(() -> InstructionData.read(file))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage(file + ": not sound Parquet: metadata of " + length + " bytes");
        }
        Files.writeString(file, "instruction,output");
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessage(file + ": not sound Parquet: no PAR1 at its beginning and end");
    }
}
