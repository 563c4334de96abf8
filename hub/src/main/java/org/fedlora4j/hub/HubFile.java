package org.fedlora4j.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;
import org.fedlora4j.common.BadInputException;

/**
 * A file of a repository as the hub lists it.
 *
 * @param path inside the repository
 * @param size bytes
 * @param etag the blob's name in the cache, and the hash of its content: SHA-256 of a file in large file storage (64
 *     hexadecimal digits), else git's blob id, the SHA-1 of {@code blob SIZE\0} and the content (40 digits)
 */
record HubFile(String path, long size, String etag) {
    private static final Pattern ETAG = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
    private static final int BUFFER = 1 << 18;

    HubFile {
        if (!RepositoryPath.isValid(path)) {
            throw new BadInputException(
                    "the hub lists '" + RepositoryPath.printable(path) + "', which is no path inside a repository");
        }
        if (size < 0) {
            throw new BadInputException("the hub lists " + path + " with " + size + " bytes, wanted 0 or more");
        }
        if (!ETAG.matcher(etag).matches()) {
            throw new BadInputException("the hub lists " + path + " with the hash '" + RepositoryPath.printable(etag)
                    + "', wanted 40 or 64 hexadecimal digits");
        }
    }

    /** The hash, in the etag's kind, of a local file. */
    String hashOf(Path file) throws IOException {
        boolean large = etag.length() == 64;
        MessageDigest digest = digest(large ? "SHA-256" : "SHA-1");
        if (!large) {
            digest.update(("blob " + Files.size(file) + "\0").getBytes(StandardCharsets.US_ASCII));
        }
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Whether a regular file of this size is there. */
    boolean hasSizeOf(Path file) throws IOException {
        return Files.isRegularFile(file) && Files.size(file) == size;
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has both
        }
    }
}
