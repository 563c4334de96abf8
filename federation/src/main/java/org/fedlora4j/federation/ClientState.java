package org.fedlora4j.federation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import org.fedlora4j.common.BadInputException;

/**
 * What one client has after a phase: what it keeps to itself, and what it sent. On disk it is a folder:
 *
 * <pre>
 *   client.json           the phase, the settings and the metrics sent
 *   own.safetensors       what the client keeps, if it keeps anything yet
 *   sent.safetensors      the values it sent, if it sent any
 *   SHA256SUMS            checksums of them all
 * </pre>
 *
 * @param stage the phase, counted over the whole run
 * @param first whether the client had kept nothing before this phase
 * @param startedFrom the digest of the shared parts that the training started from
 * @param settings what the run is made of, see {@link Fingerprint}
 */
record ClientState(
        int stage,
        boolean first,
        String startedFrom,
        SortedMap<String, String> settings,
        SortedMap<String, Double> metrics,
        PartValues own,
        PartValues sent) {
    private static final String INDEX = "client.json";
    private static final String OWN = "own";
    private static final String SENT = "sent";

    /** What {@code client.json} holds. */
    private record Index(
            int stage,
            boolean first,
            String startedFrom,
            boolean keeps,
            boolean shares,
            SortedMap<String, Double> metrics,
            SortedMap<String, String> settings) {}

    /** Writes the files into an empty folder. */
    void write(Path folder) throws IOException {
        boolean keeps = !own.parts().isEmpty();
        boolean shares = !sent.parts().isEmpty();
        Index index = new Index(stage, first, startedFrom, keeps, shares, metrics, settings);
        Files.write(folder.resolve(INDEX), StateFiles.JSON.writeValueAsBytes(index));
        if (keeps) {
            StateFiles.write(own, folder, OWN);
        }
        if (shares) {
            StateFiles.write(sent, folder, SENT);
        }
        StateFiles.seal(folder);
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws BadInputException if it is damaged
     */
    static ClientState read(Path folder) {
        try {
            StateFiles.requireSealed(folder);
            Index index = StateFiles.JSON.readValue(folder.resolve(INDEX).toFile(), Index.class);
            return new ClientState(
                    index.stage,
                    index.first,
                    index.startedFrom,
                    index.settings,
                    index.metrics,
                    index.keeps ? StateFiles.readValues(folder, OWN) : PartValues.NONE,
                    index.shares ? StateFiles.readValues(folder, SENT) : PartValues.NONE);
        } catch (IOException | RuntimeException e) {
            throw new BadInputException(
                    folder + ": damaged (" + e.getMessage()
                            + "), wanted the state that the client saved; without it what"
                            + " the client has learnt for itself is lost",
                    e);
        }
    }
}
