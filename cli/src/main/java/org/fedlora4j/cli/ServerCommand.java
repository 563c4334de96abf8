package org.fedlora4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.fedlora4j.benchmark.SettingsFile;
import org.fedlora4j.grpc.FederationServer;
import org.fedlora4j.grpc.ServerSettings;
import org.fedlora4j.tokenizer.PromptTemplate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Leads a federation across machines. */
@Command(
        name = "server",
        description = {
            "Lead a federation across machines: wait for clients, send the shared parts, aggregate their updates.",
            "Started again, it goes on where it stopped. docs/federation.md explains the settings."
        },
        footer = {"", "Example:", "  ./fedlora server server.yaml"})
final class ServerCommand implements Callable<Integer> {
    /** Its stack traces of strangers' connections say no more than our log. Kept here, for a logger may be collected. */
    private static final Logger CONNECTIONS = Logger.getLogger("io.grpc.netty.shaded");

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE.yaml", description = "The server's settings.")
    private Path file;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Use this value in place of the file's, such as rounds=2; may be repeated.")
    private List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        CONNECTIONS.setLevel(Level.WARNING);
        ServerSettings settings = ServerSettings.fromTree(
                SettingsFile.read(file, "a server's settings in YAML", overrides),
                file.toString(),
                PromptTemplate.names());
        FederationServer.run(settings, spec.commandLine().getOut()::println);
        return 0;
    }
}
