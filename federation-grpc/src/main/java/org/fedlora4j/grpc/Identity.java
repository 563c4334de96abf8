package org.fedlora4j.grpc;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/** Who calls: the common name of the certificate; in plaintext, on loopback only, what the caller says. */
final class Identity implements ServerInterceptor {
    static final Context.Key<String> CLIENT = Context.key("client");

    /** Where a plaintext client says who it is. */
    static final Metadata.Key<String> HEADER = Metadata.Key.of("fedlora-client", Metadata.ASCII_STRING_MARSHALLER);

    private final boolean plaintext;

    Identity(boolean plaintext) {
        this.plaintext = plaintext;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
        Optional<String> client = plaintext
                ? Optional.ofNullable(headers.get(HEADER))
                : Optional.ofNullable(session).flatMap(Identity::commonName);
        if (client.isEmpty()) {
            call.close(
                    Status.UNAUTHENTICATED.withDescription(
                            "a certificate without a common name, wanted the client's id"),
                    new Metadata());
            return new ServerCall.Listener<>() {};
        }
        return Contexts.interceptCall(Context.current().withValue(CLIENT, client.get()), call, headers, next);
    }

    /** The common name of a certificate's subject; none if it has none, or several. */
    static Optional<String> commonName(X509Certificate certificate) {
        try {
            LdapName name = new LdapName(certificate.getSubjectX500Principal().getName());
            List<String> names = name.getRdns().stream()
                    .filter(part -> part.getType().equalsIgnoreCase("CN"))
                    .map(part -> part.getValue().toString())
                    .toList();
            return names.size() == 1 ? Optional.of(names.get(0)) : Optional.empty();
        } catch (InvalidNameException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> commonName(SSLSession session) {
        try {
            return commonName((X509Certificate) session.getPeerCertificates()[0]);
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty();
        }
    }
}
