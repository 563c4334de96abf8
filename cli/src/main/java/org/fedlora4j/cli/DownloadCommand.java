package org.fedlora4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.fedlora4j.common.Progress;
import org.fedlora4j.hub.DownloadFailedException;
import org.fedlora4j.hub.HubDownloader;
import org.fedlora4j.hub.HubSettings;
import org.fedlora4j.hub.ModelRevision;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Downloads a model from the Hugging Face hub and prints what {@code convert} takes as its source. */
@Command(
        name = "download",
        description = {
            "Download a model from the Hugging Face hub, into the cache that transformers uses too, and print the folder.",
            "What is there already is not fetched again; after a cut or a kill, the same command goes on from there."
        },
        footer = {
            "",
            "Fetched are configuration, tokenizer and weights (safetensors, else pytorch_model.bin); of a PEFT adapter, "
                    + "the adapter.",
            "From the environment, as the hub's own client takes them: HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME, "
                    + "HF_HUB_CACHE, HF_HUB_OFFLINE. A proxy: JAVA_OPTS='-Dhttps.proxyHost=HOST -Dhttps.proxyPort=PORT'.",
            "Exit code 1 without a request to report it: the network or the hub went on failing; try again later.",
            "",
            "Example:",
            "  ./fedlora download HuggingFaceTB/SmolLM2-135M-Instruct",
            "  ./fedlora download bartowski/SmolLM2-135M-Instruct-GGUF --file SmolLM2-135M-Instruct-Q8_0.gguf --to gguf"
        })
final class DownloadCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "REPO", description = "Such as HuggingFaceTB/SmolLM2-135M-Instruct.")
    private String repository;

    @Option(
            names = "--revision",
            paramLabel = "R",
            defaultValue = "main",
            description = "Branch, tag or commit (default: ${DEFAULT-VALUE}).")
    private String revision = "main";

    @Option(
            names = "--to",
            paramLabel = "DIR",
            description = "Plain folder to write to instead of the cache; files of the same names are replaced.")
    private @Nullable Path target;

    @Option(
            names = "--file",
            paramLabel = "NAME",
            description = "File to fetch instead of a checkpoint's, such as one of GGUF; may be repeated. "
                    + "The files are printed then.")
    private List<String> files = List.of();

    @Option(
            names = "--connections",
            paramLabel = "N",
            defaultValue = "4",
            description = "Requests at the same time, 1 to 64 (default: ${DEFAULT-VALUE}).")
    private int connections;

    /** Tests have one of their own. */
    private Map<String, String> environment = System.getenv();

    void setEnvironment(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() throws IOException {
        HubSettings settings = HubSettings.of(environment, Path.of(System.getProperty("user.home")));
        ModelRevision model = new ModelRevision(repository, revision);
        try {
            Path folder = new HubDownloader(settings, connections, Progress.onStderr()).download(model, files, target);
            PrintWriter out = spec.commandLine().getOut();
            if (files.isEmpty()) {
                out.println(folder);
            } else {
                files.forEach(file -> out.println(folder.resolve(file)));
            }
            out.flush();
            return 0;
        } catch (DownloadFailedException e) {
            spec.commandLine().getErr().println("fedlora: " + e.getMessage());
            return Main.OUR_FAILURE;
        }
    }
}
