package org.fedlora4j.converter;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.common.Sha256;
import org.fedlora4j.model.config.JsonFields;
import org.fedlora4j.model.weights.Checkpoint;

/**
 * The SHA-256 of a converted checkpoint's weights, in hexadecimal digits.
 *
 * @param recorded what {@code fedlora.json} says
 * @param found what the file has
 */
public record Checksum(String recorded, String found) {
    /**
     * Reads a converted checkpoint's weights through.
     *
     * @throws BadInputException if the folder is not one that {@link CheckpointConverter} made
     */
    public static Checksum of(Path folder, Progress progress) throws IOException {
        Path origin = folder.resolve(Checkpoint.ORIGIN_FILE);
        if (!Files.exists(origin)) {
            throw new BadInputException(
                    folder + ": no " + Checkpoint.ORIGIN_FILE + "; wanted a checkpoint that convert made");
        }
        String recorded = JsonFields.read(origin).text("sha256");
        Path weights = folder.resolve(CheckpointTarget.WEIGHTS);
        MessageDigest digest = Sha256.digest();
        try (InputStream in = Files.newInputStream(weights);
                OutputStream out = progress.counting(
                        new DigestOutputStream(OutputStream.nullOutputStream(), digest),
                        Files.size(weights),
                        "checking")) {
            in.transferTo(out);
        }
        return new Checksum(recorded, HexFormat.of().formatHex(digest.digest()));
    }

    public boolean isSame() {
        return recorded.equals(found);
    }
}
