package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
        List<InstructionRecord> records = InstructionData.read(TASKS);
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
        List<InstructionRecord> records = InstructionData.read(TASKS.resolve("task391_causal_relationship.json"));
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
        assertThat(InstructionData.read(folder))
                .containsExactly(
                        new InstructionRecord("Answer.", "one?", "1", "task2_b", "x"),
                        new InstructionRecord("Answer.", "two?", "2", "task2_b", "task2_b:1"));
    }

    @Test
    void theDefinitionMayComeLastAndBrokenInstancesBeSkipped() throws IOException {
        Path file = Files.writeString(folder.resolve("any.json"), """
                {"Instances": [{"input": 1, "output": ["1"]}, [[2]], {"id": 5, "input": "", "output": ["2", ["3"]]}],
                 "Definition": ["Answer.", "Or not."]}""");
        List<String> skipped = new ArrayList<>();
        assertThat(InstructionData.read(file, FieldNames.USUAL, bad -> skipped.add(bad.getMessage())))
                .containsExactly(new InstructionRecord("Answer.", "", "2", "any", "5"));
        assertThat(skipped)
                .containsExactly(
                        file + " line 1: Instances[0].input is a number, wanted a string",
                        file + " line 1: Instances[1] is an array, wanted an object");
        FieldNames named = new FieldNames(Map.of(FieldNames.Part.INPUT, "question"));
        assertThatThrownBy(() -> InstructionData.read(file, named, bad -> {}))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("wanted no data.fields");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{                                                                             | line 1",
                "{}                                                                            | Definition",
                "{\"Definition\": [\"d\"], \"Instances\": [7]}                               | Instances[0] is a number",
                "{\"Definition\": [\"d\"], \"Definition\": [\"e\"]}                        | Duplicate",
                "{\"Definition\": [\"d\"]} 7                                                 | after the end",
                "{\"Definition\": [], \"Instances\": []}                                       | Definition",
                "{\"Definition\": [\"d\"]}                                                     | Instances",
                "{\"Definition\": [\"d\"], \"Instances\": []}                                  | Instances",
                "{\"Definition\": [\"d\"], \"Instances\": [{\"output\": [\"o\"]}]}             | Instances[0].input",
                "{\"Definition\": [\"d\"], \"Instances\": [{\"input\": \"i\", \"output\": []}]}| Instances[0].output[0]",
            })
    void refusesWhatIsNoTask(String json, String named) throws IOException {
        Files.writeString(folder.resolve("task1.json"), json);
        assertThatThrownBy(() -> InstructionData.read(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("task1.json")
                .hasMessageContaining(named);
    }

    @Test
    void refusesMissingFilesAndOtherEncodings() throws IOException {
        assertThatThrownBy(() -> InstructionData.read(folder)).isInstanceOf(BadInputException.class);
        assertThatThrownBy(() -> InstructionData.read(folder.resolve("task9.json")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("task9.json");
        Files.write(folder.resolve("task1.json"), new byte[] {'{', '"', 'a', '"', ':', '"', (byte) 0xe4, '"', '}'});
        assertThatThrownBy(() -> InstructionData.read(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("UTF-8");
    }
}
