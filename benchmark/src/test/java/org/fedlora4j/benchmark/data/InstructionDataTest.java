package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.fedlora4j.benchmark.data.FieldNames.Part;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for all formats. */
class InstructionDataTest {
    private static final Path GOLDEN = Path.of(System.getProperty("fedlora.golden"));

    @TempDir
    private Path folder;

    @Test
    void theSameRecordsInAllFormatsAreTheSame() throws IOException, SQLException {
        List<Map<String, String>> records = Formats.records(20);
        List<InstructionRecord> wanted = records.stream()
                .map(record -> new InstructionRecord(
                        text(record, "instruction"),
                        text(record, "context"),
                        text(record, "response"),
                        text(record, "category"),
                        ""))
                .toList();
        assertThat(withoutIds(Formats.jsonLines(folder, records))).isEqualTo(wanted);
        assertThat(withoutIds(Formats.json(folder, records))).isEqualTo(wanted);
        assertThat(withoutIds(Formats.csv(folder, "data.csv", ',', records))).isEqualTo(wanted);
        assertThat(withoutIds(Formats.csv(folder, "DATA.TSV", '\t', records))).isEqualTo(wanted);
        assertThat(withoutIds(Formats.parquet(folder, records, "COMPRESSION snappy")))
                .isEqualTo(wanted);
    }

    private static String text(Map<String, String> record, String field) {
        return record.getOrDefault(field, "");
    }

    private static List<InstructionRecord> withoutIds(Path file) throws IOException {
        return InstructionData.read(file).stream()
                .map(record -> new InstructionRecord(
                        record.instruction(), record.input(), record.response(), record.category(), ""))
                .toList();
    }

    static List<JsonNode> badFiles() throws IOException {
        JsonNode golden =
                new ObjectMapper().readTree(GOLDEN.resolve("bad/bad.json").toFile());
        return StreamSupport.stream(golden.get("inputs").spliterator(), false)
                .filter(bad -> bad.path("kind").asText().equals("jsonl"))
                .toList();
    }

    @Test
    void thereAreBadFiles() throws IOException {
        assertThat(badFiles()).hasSize(4);
    }

    @ParameterizedTest
    @MethodSource("badFiles")
    void refusesOrSkipsBadLines(JsonNode bad) throws IOException {
        Path file = GOLDEN.resolve("bad")
                .resolve(bad.get("name").textValue())
                .resolve(bad.get("file").textValue());
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .message()
                .satisfies(message -> assertNames(message, bad));
        List<String> skipped = new ArrayList<>();
        assertThat(InstructionData.read(file, FieldNames.USUAL, problem -> skipped.add(problem.getMessage())))
                .hasSize(4)
                .extracting(InstructionRecord::response)
                .contains("4");
        assertThat(skipped).singleElement().satisfies(message -> assertNames(message, bad));
    }

    private static void assertNames(String message, JsonNode bad) {
        assertThat(message).contains("line " + bad.get("line").intValue()).doesNotContain("\n");
        assertThat(bad.get("message_should_name"))
                .allSatisfy(name -> assertThat(message).contains(name.textValue()));
    }

    @ParameterizedTest
    @CsvSource({"data.jsonl", "data.json", "data.csv", "data.parquet"})
    void fieldsMayHaveOtherNames(String name) throws IOException, SQLException {
        List<Map<String, String>> records =
                List.of(Map.of("q", "Why?", "about", "it", "a", "So.", "topic", "x", "key", "k1"));
        switch (name) {
            case "data.jsonl" -> Formats.jsonLines(folder, records);
            case "data.json" -> Formats.json(folder, records);
            case "data.csv" -> Formats.csv(folder, name, ',', records);
            default ->
                Formats.parquet(
                        folder, "SELECT 'Why?' q, 'it' about, 'So.' a, 'x' topic, 'k1' AS \"key\"", "COMPRESSION zstd");
        }
        Path file = folder.resolve(name);
        FieldNames names = new FieldNames(Map.of(
                Part.INSTRUCTION, "q", Part.INPUT, "about", Part.OUTPUT, "a", Part.CATEGORY, "topic", Part.ID, "key"));
        assertThat(InstructionData.read(file, names, problem -> {
                    throw problem;
                }))
                .containsExactly(new InstructionRecord("Why?", "it", "So.", "x", "k1"));

        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(": no instruction, wanted one beside a, about, key, q, topic");
        FieldNames misspelt = new FieldNames(Map.of(Part.INSTRUCTION, "q", Part.OUTPUT, "a", Part.INPUT, "abuot"));
        assertThatThrownBy(() -> InstructionData.read(file, misspelt, problem -> {}))
                .isInstanceOf(BadInputException.class)
                .hasMessage("data.fields: no record of " + file + " has abuot, wanted one of a, about, key, q, topic");
    }

    @Test
    void readsAFolderOfOneKind() throws IOException {
        Files.writeString(folder.resolve("README.md"), "About the data.");
        assertThatThrownBy(() -> InstructionData.read(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("holds no data, wanted tasks");
        Files.writeString(folder.resolve("b.jsonl"), "{\"instruction\": \"2\", \"output\": \"b\"}");
        Files.writeString(folder.resolve("a.ndjson"), "{\"instruction\": \"1\", \"output\": \"a\"}");
        assertThat(InstructionData.read(folder))
                .extracting(InstructionRecord::id)
                .containsExactly("a.ndjson:1", "b.jsonl:1");
        Files.writeString(folder.resolve("c.csv"), "instruction,output\n3,c\n");
        assertThatThrownBy(() -> InstructionData.read(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("files of [JSON_LINES, CSV], wanted");
        Files.writeString(folder.resolve("task1.json"), """
                {"Definition": ["d"], "Instances": [{"input": "i", "output": ["o"]}]}""");
        assertThat(InstructionData.read(folder))
                .extracting(InstructionRecord::category)
                .containsExactly("task1");
    }

    @Test
    void aFileWithoutASoundRecordIsAnErrorAllTheSame() throws IOException {
        Path file = Files.writeString(folder.resolve("data.csv"), "instruction,output\n,a\nb,\n");
        assertThatThrownBy(() -> InstructionData.read(file, FieldNames.USUAL, problem -> {}))
                .isInstanceOf(BadInputException.class)
                .hasMessage(file + ": none of 2 records is sound; " + file
                        + " line 2: instruction is empty, wanted a text");
        Files.writeString(file, "instruction,output\n");
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessage(file + ": no records, wanted at least one");
        assertThatThrownBy(() -> InstructionData.read(folder.resolve("none.csv")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("none.csv: no such file");
    }
}
