package org.fedlora4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.fedlora4j.benchmark.demo.DemoInputs;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example on Spark, in this process. The other examples' tests don't need Spark, and are in the module tests. */
class SimulateClientsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private void task(String name, String letter) throws IOException {
        StringBuilder instances = new StringBuilder();
        for (int n = 1; n <= 20; n++) {
            instances
                    .append(n == 1 ? "" : ",")
                    .append("{\"input\": \"say ")
                    .append(letter.repeat(n))
                    .append("\", \"output\": [\"")
                    .append(letter)
                    .append("\"]}");
        }
        Files.writeString(
                folder.resolve(name), "{\"Definition\": [\"Say a letter.\"], \"Instances\": [" + instances + "]}");
    }

    @Test
    void thirtyClientsTrainTwoAtATime() throws IOException {
        task("task001_a.json", "a");
        task("task002_b.json", "b");
        PrintStream out = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            SimulateClients.main(
                    new String[] {folder.toString(), folder.resolve("out").toString(), "30", "1"});
        } finally {
            System.setOut(out);
        }
        List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines.get(0)).isEqualTo("30 clients, each with a draw from one of 2 tasks");
        // 5 % of 30 are 1.5, rounded 2; in three rounds, warm-up included, at least 2 and at most 6 of them.
        assertThat(lines.subList(2, lines.size())).hasSize(3);
        assertThat(lines.get(2)).matches("warm-up 1/2 +2 +2 .*");
        assertThat(lines.get(4)).matches("round 1/1 +2 +[2-6] .*");
        assertThat(folder.resolve("out/global/adapter_model.safetensors")).isNotEmptyFile();
    }

    @Test
    void clientsOfATaskHaveDifferentExamples() throws IOException {
        task("task001_a.json", "a");
        task("task002_b.json", "b");
        new DemoInputs(folder.resolve("demo")).write();
        TaskClients clients =
                new TaskClients(folder.toString(), folder.resolve("demo/model").toString(), 5);
        assertThat(clients.clientIds())
                .containsExactly("client-00000", "client-00001", "client-00002", "client-00003", "client-00004");
        assertThat(clients.client("client-00000").train()).hasSize(16);
        assertThat(texts(clients, "client-00000"))
                .isEqualTo(texts(clients, "client-00000"))
                .isNotEqualTo(texts(clients, "client-00002"))
                .isNotEqualTo(texts(clients, "client-00001"));
    }

    private static List<List<Integer>> texts(TaskClients clients, String id) throws IOException {
        return clients.client(id).train().stream()
                .map(example -> Arrays.stream(example.ids()).boxed().toList())
                .toList();
    }

    @Test
    void aFolderWithoutTasksIsRefused() {
        assertThatThrownBy(() -> new TaskClients(folder.toString(), "model", 5).client("client-00000"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(folder + ": no tasks of Natural Instructions (task*.json), wanted at least one");
    }
}
