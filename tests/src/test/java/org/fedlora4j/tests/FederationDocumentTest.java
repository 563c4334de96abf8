package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.demo.DemoModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What docs/federation.md has its readers write and run: each indented block that begins with {@code # NAME} is a file, the
 * lines of all others are commands, in the page's order; but for those that show what happened once. Only the ports and the
 * model differ.
 */
@Timeout(value = 40, unit = TimeUnit.MINUTES)
class FederationDocumentTest {
    private static final List<String> CLIENTS = List.of("hospital-a", "hospital-b", "hospital-c");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    /** What was run, and its output. */
    private final Map<String, Path> commands = new LinkedHashMap<>();

    /** Those of them that go on until the run is over. */
    private final Map<String, Process> parties = new LinkedHashMap<>();

    @AfterEach
    void stop() {
        parties.values().forEach(Process::destroyForcibly);
    }

    @Test
    void itsFilesAndCommandsAreARunFromTheCertificatesToTheResult() throws Exception {
        String page = Files.readString(Launcher.ROOT.resolve("docs/federation.md"))
                .replace("7443", String.valueOf(Launcher.freePort()))
                .replace("7480", String.valueOf(Launcher.freePort()));
        layOut();
        for (List<String> block : blocks(page)) {
            if (block.get(0).startsWith("# ")) {
                Files.write(folder.resolve(block.get(0).substring(2)), block);
            } else if (!isTranscript(block)) {
                for (String command : block) {
                    run(command);
                }
            }
        }
        for (Map.Entry<String, Process> party : parties.entrySet()) {
            assertThat(party.getValue().waitFor(20, TimeUnit.MINUTES))
                    .as(party.getKey())
                    .isTrue();
            assertThat(party.getValue().exitValue()).as(output(party.getKey())).isZero();
        }

        assertThat(parties).hasSize(1 + CLIENTS.size());
        assertThat(commandsOf(page)).isNotEmpty().isSubsetOf(commands.keySet());
        assertFiles(section(page, "The server"), folder.resolve("runs/across"));
        for (String client : CLIENTS) {
            assertFiles(section(page, "A client"), folder.resolve("runs").resolve(client));
        }
        assertStatus();
        assertResult();
    }

    /** The folder that the page begins in; records as Dolly has them, short enough for the demo's model. */
    private void layOut() throws IOException {
        Files.createSymbolicLink(folder.resolve("fedlora"), Launcher.ROOT.resolve("fedlora"));
        Path config = DemoModel.unpack(
                        Files.createDirectories(folder.resolve("models")).resolve("smollm2"))
                .resolve("config.json");
        Files.writeString(
                config, Files.readString(config).replaceAll("(\"max_position_embeddings\" : )128", "$1" + 512));
        Files.write(
                folder.resolve("databricks-dolly-15k.jsonl"),
                IntStream.range(0, 300)
                        .mapToObj(number -> """
                                {"instruction": "What is %1$d?", "context": "", "response": "It is %1$d.", "category": "open_qa"}""".formatted(number))
                        .toList());
    }

    private void run(String command) throws Exception {
        if (command.startsWith("./fedlora status")) {
            // So that there is something to be seen.
            waitFor("runs/across/server.jsonl", "\"event\":\"phase done\"");
        }
        Path output = folder.resolve("output-" + commands.size());
        Process process = new ProcessBuilder("bash", "-c", command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        commands.put(command, output);
        if (command.matches("\\./fedlora (server|client) .*")) {
            parties.put(command, process);
        } else {
            assertThat(process.waitFor(20, TimeUnit.MINUTES)).as(command).isTrue();
            assertThat(process.exitValue()).as(output(command)).isZero();
        }
    }

    private void waitFor(String file, String text) throws Exception {
        Path path = folder.resolve(file);
        while (!Files.exists(path) || !Files.readString(path).contains(text)) {
            for (String party : parties.keySet()) {
                assertThat(parties.get(party).isAlive()).as(output(party)).isTrue();
            }
            Thread.sleep(50);
        }
    }

    private void assertStatus() throws IOException {
        String status = output("./fedlora status");
        String id = Files.readString(folder.resolve("runs/across/run-id")).strip();
        assertThat(status).contains("run " + id + ": ", "warm-up 1/2, warm-up: mean training loss ", ", 3 clients");
        CLIENTS.forEach(client -> assertThat(status).contains("  " + client + ": "));
    }

    /** Two warm-ups, then adapt, direction and magnitude; the last sends nothing. */
    private void assertResult() throws IOException {
        assertThat(folder.resolve("runs/across/server.jsonl"))
                .content()
                .contains("\"event\":\"done\",\"without the result\":[]");
        assertThat(folder.resolve("runs/across/weights")).content().endsWith("  the server\n");
        byte[] global = adapter("across", "global");
        List<ByteBuffer> own = new ArrayList<>();
        for (String client : CLIENTS) {
            assertThat(Files.readAllLines(folder.resolve("runs").resolve(client).resolve("audit.jsonl")))
                    .filteredOn(line -> line.contains("\"event\":\"leaves\""))
                    .extracting(line -> line.replaceAll(".*\"parts\":\\[(.*?)].*", "$1"))
                    .containsExactly("\"A\",\"B\"", "\"A\",\"B\"", "\"A\",\"B\"", "\"A.direction\"", "");
            assertThat(adapter(client, "global")).as(client).isEqualTo(global);
            own.add(ByteBuffer.wrap(adapter(client, "own")));
        }
        assertThat(own).doesNotHaveDuplicates();
    }

    private byte[] adapter(String run, String name) throws IOException {
        return Files.readAllBytes(
                folder.resolve("runs").resolve(run).resolve("adapters/" + name + "/adapter_model.safetensors"));
    }

    /** What the table of a section says that {@code output} holds is there, and isn't empty. */
    private static void assertFiles(String section, Path output) throws IOException {
        String table = section.substring(section.indexOf("| file in `output` | holds |"));
        List<String> names = table.lines()
                .skip(2)
                .takeWhile(line -> line.startsWith("| "))
                .map(line -> line.substring(line.indexOf('`') + 1, line.indexOf('`', line.indexOf('`') + 1)))
                .toList();
        assertThat(names).hasSizeGreaterThan(4);
        for (String name : names) {
            Path path = output.resolve(name);
            assertThat(path).exists();
            if (Files.isDirectory(path)) {
                try (Stream<Path> files = Files.list(path)) {
                    assertThat(files).as(name).isNotEmpty();
                }
            } else {
                assertThat(path).isNotEmptyFile();
            }
        }
    }

    /** All that begins with {@code ./fedlora} anywhere on the page, but for names of commands in the text. */
    private static Set<String> commandsOf(String page) {
        Set<String> found = new LinkedHashSet<>();
        Matcher command = Pattern.compile("\\./fedlora [^`&\n]+").matcher(page);
        while (command.find()) {
            boolean isName =
                    page.charAt(command.start() - 1) == '`' && command.group().matches("\\./fedlora [a-z]+");
            if (!isName) {
                found.add(command.group().strip());
            }
        }
        return found;
    }

    /** Lines in a row that are indented by four, without the indentation. */
    private static List<List<String>> blocks(String page) {
        List<List<String>> blocks = new ArrayList<>();
        List<String> block = new ArrayList<>();
        for (String line : (page + "\n").split("\n", -1)) {
            if (line.startsWith("    ")) {
                block.add(line.substring(4));
            } else if (!block.isEmpty()) {
                blocks.add(block);
                block = new ArrayList<>();
            }
        }
        return blocks;
    }

    /** Whether it shows what was printed. */
    private static boolean isTranscript(List<String> block) {
        return block.get(0).startsWith("$ ") || block.get(0).startsWith("{");
    }

    private static String section(String page, String title) {
        int begin = page.indexOf("\n## " + title + "\n");
        return page.substring(begin, page.indexOf("\n## ", begin + 1));
    }

    /** What the command printed that begins so. */
    private String output(String command) throws IOException {
        for (Map.Entry<String, Path> run : commands.entrySet()) {
            if (run.getKey().startsWith(command)) {
                return Files.readString(run.getValue());
            }
        }
        throw new AssertionError("not run: " + command);
    }
}
