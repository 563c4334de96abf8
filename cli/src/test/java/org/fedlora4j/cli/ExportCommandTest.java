package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.config.LlamaConfig;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExportCommandTest {
    private static final Path BAD = Path.of(System.getProperty("fedlora.golden"), "bad");
    private static final Path MODEL = BAD.resolve("ok");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path run;

    @SuppressWarnings("NullAway.Init")
    private AdapterState shared;

    @SuppressWarnings("NullAway.Init")
    private AdapterState own;

    /** What a run leaves, with two adapters. */
    @BeforeEach
    void writeRun() throws IOException {
        run = Files.createDirectory(folder.resolve("run"));
        Files.writeString(run.resolve("experiment.yaml"), """
                model: %s
                output: %s
                data: {train: data.jsonl, partition: {by: category}}
                """.formatted(MODEL, run));
        LlamaConfig config = LlamaConfig.read(MODEL.resolve("config.json"));
        shared = PeftAdapter.read(BAD.resolve("ok-adapter"), config);
        own = PeftAdapter.read(BAD.resolve("ok-adapter"), config);
        own.modules().values().forEach(pair -> pair.b().values()[0] += 1);
        PeftAdapter.write(shared, run.resolve("adapters/global"), "m");
        PeftAdapter.write(own, run.resolve("adapters/client-a b"), "m");
    }

    private AdapterState exported(String name) throws IOException {
        return PeftAdapter.read(folder.resolve(name), LlamaConfig.read(MODEL.resolve("config.json")));
    }

    @Test
    void writesTheGlobalAdapterOrAClients() throws IOException {
        Path target = folder.resolve("global");
        assertThat(Cli.run("export", run, "--to", target).code()).isZero();
        assertThat(exported("global").modules()).isEqualTo(shared.modules());
        assertThat(target.resolve("decomposition.safetensors")).exists();
        assertThat(baseModel(target)).isEqualTo(MODEL.toString());

        target = folder.resolve("own");
        assertThat(Cli.run("export", run, "--client", "a b", "--to", target, "--base-model", "org/model")
                        .code())
                .isZero();
        assertThat(exported("own").modules()).isEqualTo(own.modules());
        assertThat(baseModel(target)).isEqualTo("org/model");
    }

    @Test
    void mergesOnRequest() {
        Path byRun = folder.resolve("by run");
        Path byHand = folder.resolve("by hand");
        Cli exported = Cli.run("export", run, "--client", "a b", "--merge", "--to", byRun);
        assertThat(exported.code()).as(exported.err()).isZero();
        assertThat(exported.out()).contains("by run: 12 tensors");
        Cli.run("merge", MODEL, run.resolve("adapters/client-a b"), byHand);
        assertThat(byRun.resolve("model.safetensors")).hasSameBinaryContentAs(byHand.resolve("model.safetensors"));
    }

    @Test
    void namesTheClientsThereAre() throws IOException {
        assertRefused("no client c; wanted one of a b", run, "--client", "c", "--to", folder.resolve("x"));
        assertRefused("exists", run, "--to", run);
        assertRefused("no run's folder", folder, "--to", folder.resolve("x"));
        AtomicFiles.deleteRecursively(run.resolve("adapters"));
        assertRefused("has no adapters yet", run, "--to", folder.resolve("x"));
        assertThat(folder.resolve("x")).doesNotExist();
    }

    private static void assertRefused(String message, Object... arguments) {
        Object[] all = new Object[arguments.length + 1];
        all[0] = "export";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        Cli refused = Cli.run(all);
        assertThat(refused.code()).isEqualTo(2);
        assertThat(refused.err().lines()).singleElement().asString().contains(message);
    }

    private static String baseModel(Path adapter) throws IOException {
        return new ObjectMapper()
                .readTree(adapter.resolve("adapter_config.json").toFile())
                .get("base_model_name_or_path")
                .asText();
    }
}
