package org.fedlora4j.benchmark;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.exec.Precision;

/**
 * The precision that a run computes in, kept in a file of its folder as {@code {"precision":"bf16"}}: what {@code auto}
 * stands for is another one on another kind of CPU.
 *
 * @param file need not exist
 */
record RunPrecision(Path file) {
    private static final String KEY = "precision";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Refuses to go on in another precision than the one that was kept; where none was, any will do. */
    void requireSame(Precision.Choice here) throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        Precision begun = read();
        if (begun != here.precision()) {
            throw new BadInputException(file + ": " + KEY + ": found " + begun + ", wanted " + here.precision()
                    + ", in which the run would go on (" + here.reason() + "); set " + KEY + ": " + begun
                    + " to resume, or begin another run");
        }
    }

    /** Keeps the precision of a run, unless one is kept. */
    void keep(Precision precision) throws IOException {
        if (!Files.exists(file)) {
            AtomicFiles.writeString(file, MAPPER.createObjectNode().put(KEY, precision.toString()) + "\n");
        }
    }

    private Precision read() throws IOException {
        JsonNode value;
        try {
            value = MAPPER.readTree(Files.readString(file)).path(KEY);
        } catch (JacksonException e) {
            throw new BadInputException(file + ": not JSON: " + e.getOriginalMessage(), e);
        }
        return Arrays.stream(Precision.values())
                .filter(precision -> precision.toString().equals(value.asText()))
                .findFirst()
                .orElseThrow(() -> new BadInputException(
                        file + ": " + KEY + ": found " + (value.isMissingNode() ? "nothing" : value.toString())
                                + ", wanted \"f32\", \"bf16\" or \"f16\""));
    }
}
