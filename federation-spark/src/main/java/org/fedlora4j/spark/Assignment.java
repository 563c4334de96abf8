package org.fedlora4j.spark;

import java.io.Serializable;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * What executors need to have the clients of a run train. It travels once, by Java's serialization as all of Spark's tasks
 * do, so it holds nothing large.
 *
 * @param states the folder of the clients' states, which all executors share
 */
record Assignment(ModelUse model, ClientSource clients, String states) implements Serializable {
    /** Where a client saves what it keeps; ids may hold what file names may not. */
    Path states(String clientId) {
        String name = URLEncoder.encode(clientId, StandardCharsets.UTF_8).replace(".", "%2E");
        return Path.of(states).resolve(name);
    }
}
