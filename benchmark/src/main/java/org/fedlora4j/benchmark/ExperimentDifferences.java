package org.fedlora4j.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What differs between the settings of two experiments. */
public final class ExperimentDifferences {
    private ExperimentDifferences() {}

    /**
     * Compares trees of {@link ExperimentFile#toTree}.
     *
     * @return for each setting that differs its key with what it was and what it is now; empty if none does
     */
    public static List<String> of(JsonNode before, JsonNode now) {
        List<String> differences = new ArrayList<>();
        compare("", before, now, differences);
        return differences;
    }

    private static void compare(String path, JsonNode before, JsonNode now, List<String> differences) {
        if (!before.isObject() || !now.isObject()) {
            if (!before.equals(now)) {
                differences.add(path + " " + before + ", not " + now);
            }
            return;
        }
        for (Map.Entry<String, JsonNode> field : before.properties()) {
            compare(join(path, field.getKey()), field.getValue(), now.path(field.getKey()), differences);
        }
        now.fieldNames().forEachRemaining(key -> {
            if (!before.has(key)) {
                differences.add("no " + join(path, key));
            }
        });
    }

    private static String join(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }
}
