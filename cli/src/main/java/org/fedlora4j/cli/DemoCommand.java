package org.fedlora4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.fedlora4j.benchmark.demo.Demo;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.model.exec.Backend;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Fine-tunes the embedded model across six made-up clients and tells what sharing and what is personal gains. */
@Command(
        name = "demo",
        description = "Run a small federation on an embedded model, offline, in about two minutes.",
        footer = {"", "Example:", "  ./fedlora demo --output runs/demo"})
final class DemoCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            description = "Folder to create for model, data and results; a temporary one by default.")
    private @Nullable Path output;

    @Override
    public Integer call() throws IOException {
        Backend.active(); // or what is wrong with it, before anything is told or written
        if (output != null && Files.exists(output)) {
            throw new BadInputException("--output " + output + ": exists, wanted a folder to create");
        }
        Path folder = output == null ? Files.createTempDirectory("fedlora-demo-") : output;
        new Demo(folder, spec.commandLine().getOut(), Progress.onStderr()).run();
        return 0;
    }
}
