package org.fedlora4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.grpc.Certificates;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes a test authority and certificates. */
@Command(
        name = "certs",
        description = {
            "Make a test authority, and certificates for a server and clients.",
            "A client is who its certificate says. The authority is made once; later calls issue more certificates.",
            "Keep authority.key where neither server nor clients are; give each party authority.pem and its own two files."
        },
        footer = {"", "Example:", "  ./fedlora certs certs --server localhost --client hospital-a --client hospital-b"})
final class CertsCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "The folder.")
    private Path folder;

    @Option(
            names = "--server",
            paramLabel = "HOST",
            description = "Issue server.pem for this host name or address, under which clients call the server.")
    private @Nullable String server;

    @Option(names = "--client", paramLabel = "ID", description = "Issue ID.pem for a client; may be repeated.")
    private List<String> clients = new ArrayList<>();

    @Option(
            names = "--days",
            paramLabel = "N",
            defaultValue = "365",
            description = "How long all of them are valid; ${DEFAULT-VALUE} by default.")
    private int days;

    @Override
    public Integer call() throws IOException {
        if (days < 1) {
            throw new BadInputException("--days " + days + ": wanted at least 1");
        }
        Duration validity = Duration.ofDays(days);
        Certificates certificates = Certificates.in(folder, validity);
        if (server != null) {
            certificates.issueServer(server, validity);
        }
        for (String client : clients) {
            certificates.issueClient(client, validity);
        }
        spec.commandLine()
                .getOut()
                .println("wrote " + folder + ": authority"
                        + (server == null ? "" : ", server " + server)
                        + (clients.isEmpty() ? "" : ", clients " + String.join(", ", clients)));
        return 0;
    }
}
