package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskSplitTest {
    @TempDir
    private Path release;

    private Path tasks;
    private Path split;

    /** The public release's layout. */
    @BeforeEach
    void layOut() throws IOException {
        tasks = Files.createDirectories(release.resolve("tasks"));
        split = Files.createDirectories(release.resolve("splits/default"));
        Files.createDirectories(release.resolve("splits/xlingual"));
        Files.writeString(release.resolve("README.md"), "# Tasks");
        Files.writeString(tasks.resolve("README.md"), "# Tasks");
        for (String task : List.of("task1_a", "task2_b", "task3_c", "task075_squad1.1_d")) {
            Files.writeString(
                    tasks.resolve(task + ".json"),
                    "{\"Definition\": [\"Answer.\"], \"Instances\": [{\"input\": \"\", \"output\": [\"" + task
                            + "\"]}]}");
        }
        Files.writeString(split.resolve("train_tasks.txt"), "\ufefftask2_b\r\ntask1_a\r\n\r\ntask9_missing\r\n");
        Files.writeString(split.resolve("test_tasks.txt"), "task075_squad1.1_d\ntask8_missing");
        Files.writeString(split.resolve("excluded_tasks.txt"), "task3_c\n");
    }

    @Test
    void readsTheListsOfTheRelease() throws IOException {
        for (Path source : List.of(release, tasks)) {
            TaskSplit read = TaskSplit.read(source, "default");
            assertThat(read.train()).containsExactly("task1_a", "task2_b", "task9_missing");
            assertThat(read.test()).containsExactly("task075_squad1.1_d", "task8_missing");
            assertThat(TaskSplit.read(source, split.toString()).train()).isEqualTo(read.train());
        }
    }

    @Test
    void picksTheListedTasksAndCountsTheOthers() throws IOException {
        TaskSplit.Selection selection = TaskSplit.read(release, "default").select(InstructionData.tasks(release));
        assertThat(selection)
                .isEqualTo(new TaskSplit.Selection(
                        List.of(tasks.resolve("task1_a.json"), tasks.resolve("task2_b.json")),
                        List.of(tasks.resolve("task075_squad1.1_d.json")),
                        2,
                        1));
    }

    @Test
    void theReleaseIsReadAsItsFolderOfTasks() throws IOException {
        assertThat(InstructionData.read(release))
                .isEqualTo(InstructionData.read(tasks))
                .extracting(InstructionRecord::category)
                .containsExactly("task075_squad1.1_d", "task1_a", "task2_b", "task3_c");
        assertThat(InstructionData.tasks(tasks.resolve("task1_a.json"))).isEmpty();
        Files.writeString(tasks.resolve("task0.json"), "[]");
        assertThat(InstructionData.tasks(tasks)).as("one isn't a task").isEmpty();
        Files.writeString(tasks.resolve("task0.json"), "oops");
        assertThatThrownBy(() -> InstructionData.tasks(tasks))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("task0.json line 1: not JSON");
    }

    @Test
    void atLeastOneTrainingTaskMustBeThere() throws IOException {
        Files.delete(tasks.resolve("task1_a.json"));
        Files.delete(tasks.resolve("task2_b.json"));
        TaskSplit read = TaskSplit.read(release, "default");
        List<Path> here = InstructionData.tasks(release);
        assertThatThrownBy(() -> read.select(here))
                .isInstanceOf(BadInputException.class)
                .hasMessage("data.split: default: none of its 3 training tasks is among the 2 that are here, wanted at"
                        + " least one");
    }

    @Test
    void refusesAMissingSplitAndMissingLists() throws IOException {
        assertThatThrownBy(() -> TaskSplit.read(release, "defaults"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("data.split: defaults: no folder " + release.resolve("splits/defaults")
                        + ", wanted one with train_tasks.txt and test_tasks.txt; " + release.resolve("splits")
                        + " has [default, xlingual]");
        assertThatThrownBy(() -> TaskSplit.read(release, "./no/such/split"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("no folder ./no/such/split");
        assertThatThrownBy(() -> TaskSplit.read(release, "xlingual"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(release.resolve("splits/xlingual/train_tasks.txt")
                        + ": no such file; wanted a list of tasks, a name a line");
        Files.delete(split.resolve("test_tasks.txt"));
        Files.createDirectory(split.resolve("test_tasks.txt"));
        assertThatThrownBy(() -> TaskSplit.read(release, "default"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("test_tasks.txt: a folder");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "task1_a\\ntask2_b.json   | train_tasks.txt line 2: task2_b.json, wanted a task's name, without .json",
                "task1_a, task 2         | train_tasks.txt line 1: task1_a, task 2, wanted a task's name, without .json",
                "\\n\\n                    | train_tasks.txt: lists no task, wanted at least one",
                "task075_squad1.1_d      | test_tasks.txt: lists task075_squad1.1_d, which train_tasks.txt lists too",
            })
    void refusesMalformedLists(String text, String problem) throws IOException {
        Files.writeString(split.resolve("train_tasks.txt"), text.replace("\\n", "\n"));
        assertThatThrownBy(() -> TaskSplit.read(release, "default"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(split + "/" + problem);
    }

    @Test
    void refusesOtherEncodings() throws IOException {
        Files.write(split.resolve("test_tasks.txt"), "täsk".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> TaskSplit.read(release, "default"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(split.resolve("test_tasks.txt") + ": not UTF-8");
    }
}
