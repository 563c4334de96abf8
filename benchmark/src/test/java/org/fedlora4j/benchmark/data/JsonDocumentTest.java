package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonDocumentTest {
    private static final String SOUND = "{\"instruction\": \"a\", \"output\": \"c\"}";

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("data.json");
    }

    @Test
    void readsAnArrayWithAByteOrderMark() throws IOException {
        Files.writeString(
                file,
                "\ufeff[\n " + SOUND + ",\n {\"instruction\": \"ü\", \"input\": \"b\", \"extra\": [{\"x\": NaN}],"
                        + " \"output\": \"d\", \"id\": 12}]\n");
        assertThat(InstructionData.read(file))
                .containsExactly(
                        new InstructionRecord("a", "", "c", "", "data.json:1"),
                        new InstructionRecord("ü", "b", "d", "", "12"));
    }

    @Test
    void skipsRecordsThatAreJsonButNotSound() throws IOException {
        Files.writeString(
                file, "[7,\n[[8]],\n{\"instruction\": \"a\", \"output\": {\"x\": [1]}},\n" + SOUND + ",\n{}]");
        List<String> skipped = new ArrayList<>();
        assertThat(InstructionData.read(file, FieldNames.USUAL, problem -> skipped.add(problem.getMessage())))
                .extracting(InstructionRecord::id)
                .containsExactly("data.json:4");
        assertThat(skipped)
                .containsExactly(
                        file + " line 1, record 1: a number, wanted a JSON object",
                        file + " line 2, record 2: an array, wanted a JSON object",
                        file + " line 3, record 3: output is an object, wanted a string",
                        file + " line 5, record 5: no instruction, wanted one beside instruction, output");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            [SOUND,\\n {"instruction"] | line 2: not JSON
            [SOUND                     | line 1: not JSON
            [SOUND] SOUND              | line 1: more after the end
            'x'                        | line 1: not JSON
            "x"                        | holds a string, wanted a JSON array of records
            SPACE                      | holds nothing
            [{"a": 1, "a": 2}]         | Duplicate
            """)
    void refusesTheRestAfterWhatIsNotJson(String json, String problem) throws IOException {
        Files.writeString(
                file, json.replace("SOUND", SOUND).replace("\\n", "\n").replace("SPACE", " \n "));
        assertThatThrownBy(() -> InstructionData.read(file, FieldNames.USUAL, skipped -> {}))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(problem)
                .hasMessageNotContaining("\n");
    }

    @Test
    void refusesDeepNestingEndlessRecordsAndOtherEncodings() throws IOException {
        Files.writeString(file, "[{\"x\": " + "[".repeat(100_000));
        assertRefused("Document nesting depth");
        Files.writeString(file, "[{\"x\": [" + "7, ".repeat(RecordIntake.MAX_RECORD_BYTES / 3 + 1));
        assertRefused("line 1, record 1: longer than 16777216 bytes");
        Files.writeString(file, "[{\"x\": \"" + "y".repeat(2 * RecordIntake.MAX_RECORD_BYTES));
        assertRefused("line 1: not JSON: String value length");
        Files.write(file, "[{\"instruction\": \"\u00e4\"}]".getBytes(StandardCharsets.ISO_8859_1));
        assertRefused("line 1: not JSON: Invalid UTF-8");
    }

    private void assertRefused(String problem) {
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(problem);
    }
}
