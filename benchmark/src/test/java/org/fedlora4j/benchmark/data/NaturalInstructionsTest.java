package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NaturalInstructionsTest {
    private static final Path TASKS =
            Path.of(System.getProperty("fedlora.shared")).resolve("data/natural-instructions");

    @TempDir
    Path folder;

    @Test
    @Tag("real")
    void readsAFolderOfTasks() throws IOException {
        List<InstructionRecord> records = NaturalInstructions.read(TASKS);
        assertThat(records).hasSize(344);
        assertThat(records)
                .extracting(InstructionRecord::category)
                .isSorted()
                .contains("task391_causal_relationship")
                .satisfies(
                        categories -> assertThat(categories.stream().distinct()).hasSize(6));
        assertThat(records).extracting(InstructionRecord::id).doesNotHaveDuplicates();
        assertThat(records)
                .allSatisfy(record -> assertThat(record.instruction()).isNotBlank());
    }

    @Test
    @Tag("real")
    void readsOneTask() throws IOException {
        List<InstructionRecord> records = NaturalInstructions.read(TASKS.resolve("task391_causal_relationship.json"));
        assertThat(records).hasSize(58);
        InstructionRecord first = records.get(0);
        assertThat(first.instruction()).startsWith("In this task, you will be given two sentences");
        assertThat(first.input()).isEqualTo("The terrorist set off the bomb, so they were able to kill him");
        assertThat(first.response()).isEqualTo("plausible");
        assertThat(first.category()).isEqualTo("task391_causal_relationship");
        assertThat(first.id()).isEqualTo("task391-cd9b17aa096b40838bcedf19e2a43937");
    }

    @Test
    void readsTheOriginalSchemaWithItsNaN() throws IOException {
        Files.writeString(folder.resolve("notes.json"), "no task");
        Files.writeString(folder.resolve("task2_b.json"), """
                {"URL": [NaN], "Definition": ["Answer."], "Instances": [
                  {"id": "x", "input": "one?", "output": ["1", "I"]}, {"input": "two?", "output": ["2"]}]}""");
        assertThat(NaturalInstructions.read(folder))
                .containsExactly(
                        new InstructionRecord("Answer.", "one?", "1", "task2_b", "x"),
                        new InstructionRecord("Answer.", "two?", "2", "task2_b", "task2_b:1"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{                                                                             | line 1",
                "[]                                                                            | Definition",
                "{\"Definition\": [], \"Instances\": []}                                       | Definition",
                "{\"Definition\": [\"d\"]}                                                     | Instances",
                "{\"Definition\": [\"d\"], \"Instances\": []}                                  | Instances",
                "{\"Definition\": [\"d\"], \"Instances\": [{\"output\": [\"o\"]}]}             | Instances[0].input",
                "{\"Definition\": [\"d\"], \"Instances\": [{\"input\": \"i\", \"output\": []}]}| Instances[0].output[0]",
            })
    void refusesWhatIsNoTask(String json, String named) throws IOException {
        Files.writeString(folder.resolve("task1.json"), json);
        assertThatThrownBy(() -> NaturalInstructions.read(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("task1.json")
                .hasMessageContaining(named);
    }

    @Test
    void refusesMissingFilesAndOtherEncodings() throws IOException {
        assertThatThrownBy(() -> NaturalInstructions.read(folder)).isInstanceOf(BadInputException.class);
        assertThatThrownBy(() -> NaturalInstructions.read(folder.resolve("task9.json")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("task9.json");
        Files.write(folder.resolve("task1.json"), new byte[] {'"', (byte) 0xe4, '"'});
        assertThatThrownBy(() -> NaturalInstructions.read(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("UTF-8");
    }
}
