package org.fedlora4j.grpc;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Optional;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;
import org.fedlora4j.federation.Fields;

/** How a connection is protected. */
public sealed interface Security {
    ServerCredentials forServer() throws IOException;

    ChannelCredentials forClient() throws IOException;

    /** Who a client is: the common name in its certificate. */
    String clientId() throws IOException;

    /**
     * Refuses an address that may not be used like this.
     *
     * @throws BadInputException if it isn't known, or beyond what is allowed
     */
    void requireAllowed(String host);

    /**
     * Both sides show a certificate of the same authority.
     *
     * @param authority its certificate, PEM
     * @param certificate one's own, PEM
     * @param key one's own private key, PKCS #8 in PEM
     */
    record MutualTls(Path authority, Path certificate, Path key) implements Security {
        public MutualTls {
            InputFiles.require(authority, "the authority's certificate in PEM");
            InputFiles.require(certificate, "a certificate in PEM");
            InputFiles.require(key, "a private key in PEM");
        }

        @Override
        public ServerCredentials forServer() throws IOException {
            return TlsServerCredentials.newBuilder()
                    .keyManager(certificate.toFile(), key.toFile())
                    .trustManager(authority.toFile())
                    .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                    .build();
        }

        @Override
        public ChannelCredentials forClient() throws IOException {
            return TlsChannelCredentials.newBuilder()
                    .keyManager(certificate.toFile(), key.toFile())
                    .trustManager(authority.toFile())
                    .build();
        }

        @Override
        public String clientId() throws IOException {
            return Identity.commonName(Certificates.read(certificate))
                    .orElseThrow(() ->
                            new BadInputException(certificate + ": no common name, wanted the client's id there"));
        }

        @Override
        public void requireAllowed(String host) {
            resolve(host);
        }
    }

    /**
     * No protection at all, for tests on one machine.
     *
     * @param clientId who a client says it is; a server doesn't use it
     */
    record Plaintext(String clientId) implements Security {
        @Override
        public ServerCredentials forServer() {
            return InsecureServerCredentials.create();
        }

        @Override
        public ChannelCredentials forClient() {
            return InsecureChannelCredentials.create();
        }

        @Override
        public void requireAllowed(String host) {
            for (InetAddress address : resolve(host)) {
                if (!address.isLoopbackAddress()) {
                    throw new BadInputException("plaintext: " + host + " is " + address.getHostAddress()
                            + ", wanted a loopback address such as 127.0.0.1, or certificates");
                }
            }
        }
    }

    /**
     * Reads {@code tls} or {@code plaintext} of a settings file.
     *
     * @param clientId who a client says it is where nothing proves it
     */
    static Optional<Security> of(Fields fields, String clientId) {
        if (fields.flag("plaintext", false)) {
            return Optional.of(new Plaintext(clientId));
        }
        Fields tls = fields.child("tls");
        Optional<Path> authority = tls.path("authority");
        Optional<Path> certificate = tls.path("certificate");
        Optional<Path> key = tls.path("key");
        return tls.build(() -> new MutualTls(authority.orElseThrow(), certificate.orElseThrow(), key.orElseThrow()));
    }

    private static InetAddress[] resolve(String host) {
        try {
            return InetAddress.getAllByName(host);
        } catch (UnknownHostException e) {
            throw new BadInputException(host + ": no such host", e);
        }
    }
}
