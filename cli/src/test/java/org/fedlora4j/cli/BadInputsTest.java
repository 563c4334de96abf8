package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every malformed input gets one line that names what is wrong, exit code 2, and leaves nothing. The lines are written to
 * {@code target/bad-inputs.txt}.
 */
class BadInputsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path GOLDEN = Path.of(System.getProperty("fedlora.golden"));
    private static final Path BAD = GOLDEN.resolve("bad");
    private static final Path SOUND = BAD.resolve("ok");
    private static final Map<String, String> LINES = new TreeMap<>();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path target;

    @BeforeEach
    void name() {
        target = folder.resolve("target");
    }

    @AfterAll
    static void writeTable() throws IOException {
        List<String> lines = new ArrayList<>();
        LINES.forEach((name, line) -> lines.add(String.format("%-36s %s", name, line)));
        Files.write(Path.of("target", "bad-inputs.txt"), lines);
    }

    static Stream<Arguments> malformed() throws IOException {
        JsonNode bad = JSON.readTree(BAD.resolve("bad.json").toFile());
        return StreamSupport.stream(bad.get("inputs").spliterator(), false)
                .map(input -> Arguments.of(
                        input.get("name").asText(),
                        input.get("kind").asText(),
                        JSON.convertValue(input.get("message_should_name"), String[].class)));
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void malformedInputIsRefused(String name, String kind, String[] shouldName) throws IOException {
        Path input = BAD.resolve(name);
        switch (kind) {
            case "checkpoint" -> assertRefused(name, shouldName, "convert", input, target);
            case "gguf" -> assertRefused(name, shouldName, "convert", input.resolve("model.gguf"), target);
            case "adapter" -> assertRefused(name, shouldName, "merge", SOUND, input, target);
            case "jsonl" -> assertRefused(name, shouldName, "train", experiment(input.resolve("data.jsonl")));
            default -> throw new AssertionError(kind);
        }
        assertThat(Path.of("EXECUTED")).doesNotExist();
    }

    @Test
    void soundInputsAreTaken() {
        assertThat(Cli.run("merge", SOUND, BAD.resolve("ok-adapter"), target).code())
                .isZero();
    }

    @Test
    void wrongPlacesAreRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "text");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertRefused("source-missing", names("nowhere", "no such file"), "convert", folder.resolve("nowhere"), target);
        assertRefused("source-empty", names("empty"), "convert", empty, target);
        assertRefused("source-no-model", names("file"), "convert", file, target);
        assertRefused("target-exists", names("empty: exists"), "convert", SOUND, empty);
        assertRefused("target-below-a-file", names("file"), "convert", SOUND, file.resolve("target"));
        assertRefused(
                "target-nowhere", names("can't be written"), "convert", SOUND, Path.of("/proc/no-such/folder/target"));
        assertRefused("adapter-missing", names("adapter_config.json"), "merge", SOUND, empty, target);
        assertRefused("run-missing", names("empty: no run's folder"), "export", empty, "--to", target);
        assertRefused("reference-missing", names("nowhere"), "verify", SOUND, "--reference", folder.resolve("nowhere"));
        assertRefused("reference-a-folder", names("a folder"), "verify", SOUND, "--reference", empty);
        assertRefused("experiment-a-folder", names("a folder"), "train", empty);
    }

    /** Each file of a checkpoint and of an adapter in turn. */
    @ParameterizedTest
    @ValueSource(strings = {"config.json", "model.safetensors"})
    void aFolderWhereAFileIsWantedIsRefused(String name) throws IOException {
        Path model = copy(SOUND, "model");
        Files.delete(model.resolve(name));
        Files.createDirectory(model.resolve(name));
        assertRefused("folder-for-" + name, names(name, "a folder"), "convert", model, target);
    }

    @ParameterizedTest
    @ValueSource(strings = {"adapter_config.json", "adapter_model.safetensors"})
    void aFolderInAnAdapterIsRefused(String name) throws IOException {
        Path adapter = copy(BAD.resolve("ok-adapter"), "adapter");
        Files.delete(adapter.resolve(name));
        Files.createDirectory(adapter.resolve(name));
        assertRefused("folder-for-" + name, names(name, "a folder"), "merge", SOUND, adapter, target);
    }

    private void assertRefused(String name, String[] shouldName, Object... arguments) throws IOException {
        List<Path> before = files();
        Cli refused = Cli.run(arguments);
        assertThat(refused.code()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err().lines()).singleElement().asString().contains(shouldName);
        assertThat(refused.out()).isEmpty();
        assertThat(files()).isEqualTo(before);
        LINES.put(
                name, refused.err().strip().replace(GOLDEN.toString(), "golden").replace(folder.toString(), "/tmp"));
    }

    private static String[] names(String... names) {
        return names;
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.sorted().toList();
        }
    }

    private Path copy(Path source, String name) throws IOException {
        Path copy = Files.createDirectory(folder.resolve(name));
        try (Stream<Path> files = Files.list(source)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        return copy;
    }

    /** An experiment on the sound model, which gets a tokenizer of single letters. */
    private Path experiment(Path data) throws IOException {
        Path model = copy(SOUND, "model");
        ObjectNode tokenizer = JSON.createObjectNode();
        tokenizer.put("version", "1.0").putObject("model").put("type", "BPE");
        ObjectNode vocabulary = tokenizer.withObject("/model/vocab");
        for (char letter = 'a'; letter <= 'h'; letter++) {
            vocabulary.put(String.valueOf(letter), letter - 'a');
        }
        tokenizer.withObject("/model").putArray("merges");
        Files.writeString(model.resolve("tokenizer.json"), tokenizer.toString());
        Files.writeString(model.resolve("tokenizer_config.json"), "{\"eos_token\": \"a\"}");
        return Files.writeString(folder.resolve("experiment.yaml"), """
                model: %s
                output: %s
                data: {train: %s, partition: {by: category}, max-tokens: 16}
                """.formatted(model, target, data));
    }
}
