package org.fedlora4j.benchmark;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;

/** Files of settings in YAML, and settings of the command line that hold instead of theirs. */
public final class SettingsFile {
    private static final YAMLMapper YAML = YAMLMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .build();

    private SettingsFile() {}

    /**
     * Reads a file.
     *
     * @param wanted for messages, such as {@code an experiment in YAML}
     * @param overrides {@code key=value} each, keys of inner objects after a dot, values in YAML: {@code
     *     data.max-tokens=128}; they hold instead of what the file says
     * @throws BadInputException if the file holds no object, or an override isn't as it should be
     */
    public static ObjectNode read(Path file, String wanted, List<String> overrides) throws IOException {
        InputFiles.require(file, wanted);
        JsonNode tree = parse(Files.readString(file), file.toString());
        if (!(tree instanceof ObjectNode object)) {
            throw new BadInputException(file + ": found " + tree.getNodeType() + ", wanted " + wanted);
        }
        for (String override : overrides) {
            String[] keyAndValue = override.split("=", 2);
            boolean both = keyAndValue.length == 2 && !keyAndValue[1].isBlank();
            if (!both || List.of(keyAndValue[0].split("\\.", -1)).contains("")) {
                throw new BadInputException("--set " + override + ": wanted key=value, such as data.max-tokens=128");
            }
            set(object, keyAndValue[0], parse(keyAndValue[1], "--set " + override));
        }
        return object;
    }

    /** Puts a value in place of what is there, if anything; keys of inner objects after a dot. */
    public static void set(ObjectNode tree, String key, JsonNode value) {
        String[] path = key.split("\\.", -1);
        ObjectNode parent = tree;
        for (String inner : List.of(path).subList(0, path.length - 1)) {
            parent = parent.get(inner) instanceof ObjectNode child ? child : parent.putObject(inner);
        }
        parent.set(path[path.length - 1], value);
    }

    /** The settings as YAML, which {@link #read} reads. */
    public static String toYaml(JsonNode tree) throws IOException {
        return YAML.writeValueAsString(tree);
    }

    private static JsonNode parse(String yaml, String source) {
        try {
            return YAML.readTree(yaml);
        } catch (IOException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new BadInputException(source + ": not YAML: " + reason, e);
        }
    }
}
