package org.fedlora4j.benchmark.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.fedlora4j.common.BadInputException;

/**
 * Reads a task of Natural Instructions v2 (arXiv 2204.07705) in its original schema: the task's definition is the
 * instruction, an instance's input the input, its first output the response, and the name of the task the category.
 */
final class NaturalInstructions {
    private final Path file;
    private final RecordIntake intake;
    private final String name;
    private FieldValue definition = FieldValue.NULL;
    private int instances;

    private NaturalInstructions(Path file, RecordIntake intake) {
        this.file = file;
        this.intake = intake;
        this.name = TaskSplit.name(file);
    }

    /** Reads the file twice, as the definition may come after the instances. */
    static void read(Path file, RecordIntake intake) throws IOException {
        if (!intake.namesAreUsual()) {
            throw new BadInputException(
                    file + ": a task of Natural Instructions has fields of its own, wanted no data.fields");
        }
        new NaturalInstructions(file, intake).read();
    }

    private void read() throws IOException {
        find("Definition", parser -> {
            definition = Json.firstValue(parser);
            while (Json.depth(parser) > 1) {
                parser.nextToken();
            }
        });
        String instruction = RecordIntake.requireText(file.toString(), "Definition[0]", definition);
        find("Instances", parser -> {
            if (parser.currentToken() == JsonToken.START_ARRAY) {
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    readInstance(parser, instruction);
                }
            }
        });
        if (instances == 0) {
            throw new BadInputException(file + ": no Instances, wanted a list of at least one");
        }
    }

    /** Goes through the whole task, and lets a reader have the value of one field. */
    private void find(String wanted, JsonDocument.Reader reader) throws IOException {
        JsonDocument.parse(file, parser -> {
            parser.nextToken();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String field = parser.currentName();
                parser.nextToken();
                if (field.equals(wanted)) {
                    reader.read(parser);
                }
                parser.skipChildren();
            }
            JsonDocument.requireEnd(file, parser);
        });
    }

    private void readInstance(JsonParser parser, String instruction) throws IOException {
        String instance = "Instances[" + instances++ + "]";
        String place = file + " line " + parser.currentTokenLocation().getLineNr();
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            intake.broken(new BadInputException(
                    place + ": " + instance + " is " + Json.type(parser.currentToken()) + ", wanted an object"));
            parser.skipChildren();
            return;
        }
        Map<String, FieldValue> fields = Json.fields(place, parser, Json::firstValue);
        FieldValue input = fields.getOrDefault("input", FieldValue.NULL);
        FieldValue output = fields.getOrDefault("output", FieldValue.NULL);
        String id = Optional.ofNullable(
                        fields.getOrDefault("id", FieldValue.NULL).text())
                .orElse(name + ":" + (instances - 1));
        intake.addToTask(() -> {
            if (input.type() != FieldValue.Type.STRING || input.text() == null) {
                throw new BadInputException(
                        place + ": " + instance + ".input is " + input.type() + ", wanted a string");
            }
            String response = RecordIntake.requireText(place, instance + ".output[0]", output);
            return new InstructionRecord(instruction, input.text(), response, name, id);
        });
    }
}
