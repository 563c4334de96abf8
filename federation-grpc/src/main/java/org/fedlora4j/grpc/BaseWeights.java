package org.fedlora4j.grpc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.WeightsDigest;
import org.jspecify.annotations.Nullable;

/**
 * The base weights that all clients of a run must have, by their {@link WeightsDigest}: the server's own where its folder
 * has any, or else those of the client that joined first. A file remembers them when the server is started again.
 */
public final class BaseWeights {
    private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern LINE = Pattern.compile("([0-9a-f]{64}) {2}(.+)");
    private static final String OWN = "the server";

    private final Path file;
    private @Nullable Wanted wanted;

    /** @param whose who had them first */
    private record Wanted(String digest, String whose) {}

    private BaseWeights(Path file, @Nullable Wanted wanted) {
        this.file = file;
        this.wanted = wanted;
    }

    /**
     * Those of a run.
     *
     * @param file that remembers them; need not exist
     * @param model the server's folder, with or without weights
     * @throws BadInputException if the server's own are not those that the file names
     */
    public static BaseWeights of(Path file, Path model) throws IOException {
        BaseWeights weights = new BaseWeights(file, Files.exists(file) ? read(file) : null);
        if (Checkpoint.hasWeights(model)) {
            Optional<String> objection = weights.objection(OWN, WeightsDigest.of(model));
            if (objection.isPresent()) {
                throw new BadInputException(model + ": " + objection.get());
            }
        }
        return weights;
    }

    /** Why these weights are not those of the run; empty if they are, or if they are the first. */
    synchronized Optional<String> objection(String whose, String digest) throws IOException {
        if (!DIGEST.matcher(digest).matches()) {
            return Optional.of("weights: '" + digest + "', wanted a SHA-256 of 64 hexadecimal digits");
        }
        if (wanted == null) {
            AtomicFiles.writeString(file, digest + "  " + whose + "\n");
            wanted = new Wanted(digest, whose);
        }
        return wanted.digest().equals(digest)
                ? Optional.empty()
                : Optional.of("weights " + digest + ", wanted those of " + wanted.whose() + ", " + wanted.digest());
    }

    private static Wanted read(Path file) throws IOException {
        String text = Files.readString(file).strip();
        Matcher line = LINE.matcher(text);
        if (!line.matches()) {
            throw new BadInputException(file + ": '" + text + "', wanted a SHA-256 and whose weights it is of");
        }
        return new Wanted(line.group(1), line.group(2));
    }
}
