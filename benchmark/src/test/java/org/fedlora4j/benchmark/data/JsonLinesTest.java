package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonLinesTest {
    private static final Path GOLDEN = Path.of(System.getProperty("fedlora.golden"));
    private static final Path SHARED = Path.of(System.getProperty("fedlora.shared"));

    @TempDir
    Path folder;

    @Test
    @Tag("real")
    void readsDolly() throws IOException {
        List<InstructionRecord> records = JsonLines.read(SHARED.resolve("data/dolly/databricks-dolly-15k.jsonl"));
        assertThat(records).hasSize(14_600);
        assertThat(records)
                .filteredOn(record -> record.category().equals("open_qa"))
                .hasSize(3623);
        assertThat(records).filteredOn(record -> record.input().isEmpty()).hasSize(10_234);
        assertThat(records.get(1))
                .isEqualTo(new InstructionRecord(
                        "Give me a list of three historical piano composers.",
                        "",
                        "Johann Sebastian Bach, Ludwig van Beethoven, and Frédéric Chopin.",
                        "brainstorming",
                        "databricks-dolly-15k.jsonl:2"));
    }

    @Test
    void readsBothSchemasAndSkipsBlankLines() throws IOException {
        Path file = write("""
                {"instruction": "a", "input": "b", "output": "c", "id": "first"}

                {"instruction": "a", "context": null, "response": "c\\nd", "category": "x", "other": [1]}\r
                {"instruction": "ü", "output": ""}""");
        assertThat(JsonLines.read(file))
                .containsExactly(
                        new InstructionRecord("a", "b", "c", "", "first"),
                        new InstructionRecord("a", "", "c\nd", "x", "data.jsonl:3"),
                        new InstructionRecord("ü", "", "", "", "data.jsonl:4"));
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
    void refusesBadFiles(JsonNode bad) {
        Path file = GOLDEN.resolve("bad")
                .resolve(bad.get("name").textValue())
                .resolve(bad.get("file").textValue());
        assertThatThrownBy(() -> JsonLines.read(file))
                .isInstanceOf(BadInputException.class)
                .message()
                .contains("line " + bad.get("line").intValue())
                .doesNotContain("\n")
                .satisfies(message -> assertThat(bad.get("message_should_name"))
                        .allSatisfy(name -> assertThat(message).contains(name.textValue())));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "7",
                "{\"instruction\": \"a\", \"output\": \"c\"} {}",
                "{\"instruction\": \"a\", \"instruction\": \"b\", \"output\": \"c\"}",
                "{\"instruction\": \"a\", \"output\": \"c\", \"input\": 7}",
                "{\"instruction\": \"a\", \"output\": null}",
                "{\"output\": \"c\"}",
                "\n \n",
                "",
            })
    void refusesLinesThatAreNoRecords(String line) throws IOException {
        Path file = write(line);
        assertThatThrownBy(() -> JsonLines.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("data.jsonl");
    }

    @Test
    void refusesAFileWithoutLinesEarly() throws IOException {
        Path file = folder.resolve("data.jsonl");
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int i = 0; i < 20; i++) {
                out.write(new byte[1 << 20]);
            }
        }
        assertThatThrownBy(() -> JsonLines.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("line 1: longer than");
        assertThatThrownBy(() -> JsonLines.read(folder.resolve("none.jsonl")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("none.jsonl");
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("data.jsonl"), text);
    }
}
