package org.fedlora4j.benchmark.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;

/**
 * Reads tasks of Natural Instructions v2 (arXiv 2204.07705) in their original schema: the task's definition is the
 * instruction, an instance's input the input, its first output the response, and the name of the task the category.
 */
public final class NaturalInstructions {
    // The original files have NaN among their metadata.
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    private NaturalInstructions() {}

    /**
     * The instances of one task, or of all tasks of a folder ({@code task*.json}, by name).
     *
     * @throws BadInputException if a file isn't a task, or if there is none
     */
    public static List<InstructionRecord> read(Path fileOrFolder) throws IOException {
        List<InstructionRecord> records = new ArrayList<>();
        for (Path file : files(fileOrFolder)) {
            records.addAll(readTask(file));
        }
        return records;
    }

    private static List<Path> files(Path fileOrFolder) throws IOException {
        if (!Files.isDirectory(fileOrFolder)) {
            return List.of(fileOrFolder);
        }
        try (Stream<Path> files = Files.list(fileOrFolder)) {
            List<Path> tasks = files.filter(
                            file -> file.getFileName().toString().matches("task.*\\.json"))
                    .sorted()
                    .toList();
            if (tasks.isEmpty()) {
                throw new BadInputException(fileOrFolder + ": no task*.json, wanted tasks of Natural Instructions");
            }
            return tasks;
        }
    }

    private static List<InstructionRecord> readTask(Path file) throws IOException {
        JsonNode task = parse(file);
        String instruction =
                string(file, "Definition[0]", task.path("Definition").path(0));
        String name = file.getFileName().toString().replaceAll("\\.json$", "");
        JsonNode instances = task.path("Instances");
        if (!instances.isArray() || instances.isEmpty()) {
            throw new BadInputException(file + ": no Instances, wanted a list of at least one");
        }
        List<InstructionRecord> records = new ArrayList<>();
        for (JsonNode instance : instances) {
            String where = "Instances[" + records.size() + "]";
            records.add(new InstructionRecord(
                    instruction,
                    string(file, where + ".input", instance.path("input")),
                    string(file, where + ".output[0]", instance.path("output").path(0)),
                    name,
                    instance.path("id").asText(name + ":" + records.size())));
        }
        return records;
    }

    private static JsonNode parse(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new BadInputException(file + ": no such file, wanted a task of Natural Instructions");
        }
        try {
            return MAPPER.readTree(Files.readString(file));
        } catch (CharacterCodingException e) {
            throw new BadInputException(file + ": not UTF-8", e);
        } catch (JacksonException e) {
            throw new BadInputException(
                    file + " line " + e.getLocation().getLineNr() + ": not JSON: "
                            + e.getOriginalMessage().lines().findFirst().orElse(""),
                    e);
        }
    }

    private static String string(Path file, String field, JsonNode value) {
        if (!value.isTextual()) {
            throw new BadInputException(file + ": " + field + " is " + value.getNodeType() + ", wanted a string");
        }
        return value.textValue();
    }
}
