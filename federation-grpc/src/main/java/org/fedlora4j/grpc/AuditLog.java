package org.fedlora4j.grpc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Iterator;
import org.fedlora4j.common.Sha256;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.grpc.wire.Chunk;

/**
 * What left a client, for its owner: a line before each update is sent, so that none is missing. What can't be noted isn't
 * sent either.
 */
final class AuditLog {
    private final EventLog log;

    AuditLog(EventLog log) {
        this.log = log;
    }

    /** Notes that the server is about to be told the number of examples and the digest of the base weights. */
    void joins(long examples, String weights) throws IOException {
        note("joins", "examples", examples, "weights", weights);
    }

    /** Notes that an update is about to leave; the checksum is of its values' bytes in the order in which they are sent. */
    void leaves(RoundContext context, SharedUpdate update) throws IOException {
        MessageDigest digest = Sha256.digest();
        for (Iterator<Chunk> chunks = Chunks.of(update.values()); chunks.hasNext(); ) {
            digest.update(chunks.next().getData().asReadOnlyByteBuffer());
        }
        note(
                "leaves",
                "round",
                context.label(),
                "phase",
                update.phase(),
                "parts",
                Chunks.names(update.values()),
                "modules",
                update.values().parts().stream()
                        .flatMap(part -> update.values().of(part).keySet().stream())
                        .distinct()
                        .toList(),
                "bytes",
                update.values().bytes(ClientData.FULL_RANK),
                "sha256",
                HexFormat.of().formatHex(digest.digest()),
                "examples",
                update.weight(),
                "metrics",
                update.metrics());
    }

    private void note(String event, Object... namesAndValues) throws IOException {
        try {
            log.event(event, namesAndValues);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
