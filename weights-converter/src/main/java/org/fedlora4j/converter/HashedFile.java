package org.fedlora4j.converter;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.fedlora4j.common.AtomicFiles.StreamWriter;
import org.fedlora4j.common.Sha256;

/** Hashes a file while it is written. */
final class HashedFile {
    private HashedFile() {}

    /** Gives the SHA-256 in hexadecimal digits. */
    static String write(Path file, StreamWriter content) throws IOException {
        MessageDigest digest = Sha256.digest();
        try (OutputStream out = new DigestOutputStream(Files.newOutputStream(file), digest)) {
            content.write(out);
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
