package org.fedlora4j.converter;

import java.io.IOException;
import java.nio.file.Path;

/** What a model is converted into. */
interface ModelTarget {
    /**
     * What was written.
     *
     * @param bytes length of the file with the weights
     * @param types of the weights
     * @param sha256 of the file with the weights, in hexadecimal digits
     */
    record Written(int tensors, long parameters, long bytes, String types, String sha256) {}

    /** Writes the model; it appears whole or not at all. */
    Written write(Path target) throws IOException;
}
