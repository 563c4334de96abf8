package org.fedlora4j.grpc;

import java.util.Optional;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Fields;

/**
 * Where a server listens or is called, and how that is protected.
 *
 * @param port from 0, which lets a server choose, to 65535
 */
public record Endpoint(String host, int port, Security security) {
    public Endpoint {
        if (host.isBlank()) {
            throw new BadInputException("host: empty");
        }
        if (port < 0 || port > 65_535) {
            throw new BadInputException("port: " + port + ", wanted 0 to 65535");
        }
    }

    /** From {@code HOST:PORT}, as in settings; an IPv6 address stands in brackets. */
    public static Endpoint of(String hostAndPort, Security security) {
        int colon = hostAndPort.lastIndexOf(':');
        String host = hostAndPort.substring(0, Math.max(colon, 0)).replaceAll("^\\[(.*)]$", "$1");
        String port = hostAndPort.substring(colon + 1);
        if (host.isEmpty() || !port.matches("[0-9]{1,5}")) {
            throw new BadInputException("'" + hostAndPort + "', wanted HOST:PORT");
        }
        return new Endpoint(host, Integer.parseInt(port), security);
    }

    /** The server that a client's settings name: {@code server}, with {@code tls}, or {@code plaintext} and {@code id}. */
    public static Optional<Endpoint> ofServer(Fields fields) {
        String server = fields.text("server");
        String id = fields.flag("plaintext", false) ? fields.text("id") : "";
        Optional<Security> security = Security.of(fields, id);
        return security.flatMap(protection -> fields.attempt(() -> of(server, protection)));
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
