package org.fedlora4j.hub;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What goes wrong with the next answer to a path. Null or -1 for what is as usual. */
record Fault(
        int status, Map<String, String> headers, long cutAfter, boolean silent, boolean whole, byte @Nullable [] body) {
    static Fault status(int status, String... header) {
        return new Fault(status, header.length == 0 ? Map.of() : Map.of(header[0], header[1]), -1, false, false, null);
    }

    static Fault cutAfter(long bytes) {
        return new Fault(-1, Map.of(), bytes, false, false, null);
    }

    static Fault silentAfter(long bytes) {
        return new Fault(-1, Map.of(), bytes, true, false, null);
    }

    /** Ignores the range that is asked for. */
    static Fault wholeFile() {
        return new Fault(-1, Map.of(), -1, false, true, null);
    }

    /** A list of files that goes on elsewhere. */
    static Fault page(String json, String link) {
        return new Fault(-1, Map.of("Link", link), -1, false, false, json.getBytes(StandardCharsets.UTF_8));
    }

    static Fault body(byte[] body) {
        return new Fault(-1, Map.of(), -1, false, false, body);
    }
}
