package org.fedlora4j.benchmark.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;
import org.fedlora4j.common.BadInputException;

/** Reads an array of records, or a task of Natural Instructions, which is an object. Neither is ever held whole. */
final class JsonDocument {
    private JsonDocument() {}

    /** After a record that isn't JSON, where the next one begins is not known: that is an error. */
    static void read(Path file, RecordIntake intake) throws IOException {
        parse(file, parser -> {
            JsonToken first = parser.nextToken();
            if (first == JsonToken.START_OBJECT) {
                NaturalInstructions.read(file, intake);
            } else if (first == JsonToken.START_ARRAY) {
                readArray(file, parser, intake);
            } else {
                throw new BadInputException(file + ": holds " + (first == null ? "nothing" : Json.type(first))
                        + ", wanted a JSON array of records");
            }
        });
    }

    /** Whether a file is a task of Natural Instructions, or at least no array. */
    static boolean isTask(Path file) throws IOException {
        boolean[] object = new boolean[1];
        parse(file, parser -> object[0] = parser.nextToken() == JsonToken.START_OBJECT);
        return object[0];
    }

    /** Reads a file, with what isn't JSON named by its line. */
    static void parse(Path file, Reader reader) throws IOException {
        try (InputStream in = Utf8.open(file);
                JsonParser parser = Json.FACTORY.createParser(in)) {
            try {
                reader.read(parser);
            } catch (JacksonException e) {
                int line = parser.currentLocation().getLineNr();
                throw new BadInputException(file + " line " + line + ": " + Json.problem(e), e);
            } catch (CharConversionException e) {
                throw new BadInputException(file + ": not UTF-8", e);
            }
        }
    }

    interface Reader {
        void read(JsonParser parser) throws IOException;
    }

    private static void readArray(Path file, JsonParser parser, RecordIntake intake) throws IOException {
        int record = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            record++;
            String place = file + " line " + parser.currentTokenLocation().getLineNr() + ", record " + record;
            JsonToken token = parser.currentToken();
            if (token == JsonToken.START_OBJECT) {
                Map<String, FieldValue> fields = Json.fields(place, parser, Json::value);
                intake.add(place, file.getFileName() + ":" + record, fields);
            } else {
                intake.broken(new BadInputException(place + ": " + Json.type(token) + ", wanted a JSON object"));
                parser.skipChildren();
            }
        }
        requireEnd(file, parser);
    }

    /** There is nothing after the array or object that has ended. */
    static void requireEnd(Path file, JsonParser parser) throws IOException {
        if (parser.nextToken() != null) {
            throw new BadInputException(file + " line "
                    + parser.currentTokenLocation().getLineNr() + ": more after the end of the JSON, wanted nothing");
        }
    }
}
