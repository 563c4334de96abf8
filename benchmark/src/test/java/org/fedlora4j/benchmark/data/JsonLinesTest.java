package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonLinesTest {
    private static final Path SHARED = Path.of(System.getProperty("fedlora.shared"));

    @TempDir
    Path folder;

    @Test
    @Tag("real")
    void readsDolly() throws IOException {
        List<InstructionRecord> records = InstructionData.read(SHARED.resolve("data/dolly/databricks-dolly-15k.jsonl"));
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
                {"instruction": "ü", "output": "-", "id": 7}""");
        assertThat(InstructionData.read(file))
                .containsExactly(
                        new InstructionRecord("a", "b", "c", "", "first"),
                        new InstructionRecord("a", "", "c\nd", "x", "data.jsonl:3"),
                        new InstructionRecord("ü", "", "-", "", "7"));
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
                "{\"instruction\": \"a\", \"output\": \" \"}",
                "{\"instruction\": \"\", \"output\": \"c\"}",
                "{\"instruction\": \"a\", \"output\": \"c\", \"id\": [1]}",
                "{\"output\": \"c\"}",
                "\n \n",
                "",
            })
    void refusesLinesThatAreNoRecords(String line) throws IOException {
        Path file = write(line);
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("data.jsonl");
    }

    @Test
    void refusesAFileWithoutLinesEarlyAndGoesOnAfterALongLine() throws IOException {
        Path file = folder.resolve("data.jsonl");
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int i = 0; i < 20; i++) {
                out.write(new byte[1 << 20]);
            }
            out.write("\n{\"instruction\": \"a\", \"output\": \"c\"}".getBytes(StandardCharsets.UTF_8));
        }
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("line 1: longer than");
        List<String> skipped = new ArrayList<>();
        assertThat(InstructionData.read(file, FieldNames.USUAL, bad -> skipped.add(bad.getMessage())))
                .extracting(InstructionRecord::id)
                .containsExactly("data.jsonl:2");
        assertThat(skipped).hasSize(1);
    }

    @Test
    void refusesDeepNesting() throws IOException {
        Path file = write("{\"instruction\": \"a\", \"output\": \"c\", \"x\": " + "[".repeat(100_000));
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("line 1: not JSON: Document nesting depth");
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("data.jsonl"), text);
    }
}
