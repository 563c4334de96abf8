package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.config.LlamaConfig;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the command prints, writes and refuses; the numbers are tested where they are made. */
class AnalyzeCommandTest {
    private static final Path BAD = Path.of(System.getProperty("fedlora.golden"), "bad");
    private static final Path MODEL = BAD.resolve("ok");
    private static final Path ADAPTER = BAD.resolve("ok-adapter");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path run;

    /** What a run leaves, with two clients. */
    @BeforeEach
    void writeRun() throws IOException {
        run = Files.createDirectory(folder.resolve("run"));
        Files.writeString(run.resolve("experiment.yaml"), """
                model: %s
                output: %s
                recipe: local
                data: {train: data.jsonl, partition: {by: category}}
                """.formatted(MODEL, run));
        writeAdapter("global", 0);
        writeAdapter("client-a", 1);
        writeAdapter("client-b", 2);
    }

    private void writeAdapter(String name, float added) throws IOException {
        AdapterState state = PeftAdapter.read(ADAPTER, LlamaConfig.read(MODEL.resolve("config.json")));
        state.modules().values().forEach(pair -> {
            pair.a().values()[0] += added;
            pair.b().values()[0] += added;
        });
        PeftAdapter.write(state, run.resolve("adapters").resolve(name), "m");
    }

    @Test
    void printsTablesAndWritesJsonAndPictures() {
        Cli analyzed = Cli.run("analyze", run);
        assertThat(analyzed.code()).as(analyzed.err()).isZero();
        assertThat(analyzed.out())
                .contains("of which there are 2")
                .contains("| shared to client | rows ")
                .contains("| client to client | columns ")
                .contains("| q_proj ")
                .containsPattern("direction, A : B .* 1\\.7 \\|")
                .containsPattern("magnitude, B : A .* 41 \\|")
                .contains(run.resolve("pictures/sensitivity-clients-columns-direction.svg")
                        .toString());
        assertThat(run.resolve("analysis.json")).isNotEmptyFile();
        assertThat(run.resolve("pictures/sensitivity-shared-rows-magnitude.svg"))
                .isNotEmptyFile();
    }

    @Test
    void printsWhatItWritesAsJson() throws IOException {
        Path pictures = folder.resolve("elsewhere");
        Cli analyzed = Cli.run("analyze", run, "--json", "--pictures", pictures, "--from", ADAPTER);
        assertThat(analyzed.code()).as(analyzed.err()).isZero();
        assertThat(analyzed.out()).isEqualTo(Files.readString(run.resolve("analysis.json")));
        JsonNode tree = new ObjectMapper().readTree(analyzed.out());
        assertThat(tree.get("from").asText()).isEqualTo(ADAPTER.toString());
        assertThat(tree.at("/comparisons/0/compared").asText()).isEqualTo("other to client");
        assertThat(run.resolve("pictures")).doesNotExist();
        assertThat(pictures.resolve("sensitivity-other-rows-magnitude.svg")).isNotEmptyFile();
    }

    @Test
    void refusesWhatIsNoRunOrHasNoSuchAdapter() throws IOException {
        assertRefused("no run's folder", folder);
        assertRefused("adapter_config.json", run, "--from", folder);
        PeftAdapter.write(
                PeftAdapter.read(ADAPTER, LlamaConfig.read(MODEL.resolve("config.json"))),
                folder.resolve("other"),
                "m");
        Path config = folder.resolve("other/adapter_config.json");
        Files.writeString(config, Files.readString(config).replaceAll("\"r\" : 2", "\"r\" : 1"));
        assertRefused("by r in adapter_config.json", run, "--from", folder.resolve("other"));
        Files.delete(run.resolve("adapters/global/adapter_config.json"));
        assertRefused("global/adapter_config.json", run);
        assertThat(run.resolve("analysis.json")).doesNotExist();
    }

    private static void assertRefused(String message, Object... arguments) {
        Object[] all = new Object[arguments.length + 1];
        all[0] = "analyze";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        Cli refused = Cli.run(all);
        assertThat(refused.code()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err().lines()).singleElement().asString().contains(message);
        assertThat(refused.out()).isEmpty();
    }
}
