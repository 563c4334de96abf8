package org.fedlora4j.benchmark.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.fedlora4j.common.BadInputException;

/** JSON values that are read as they come. */
final class Json {
    /** Strict, but for NaN, which Natural Instructions and Python write. */
    static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(100)
                    .maxStringLength(RecordIntake.MAX_RECORD_BYTES)
                    .build())
            .build();

    private Json() {}

    /**
     * The fields of the object that the parser has entered, up to its end.
     *
     * @throws BadInputException if the object is too long to be a record
     */
    static Map<String, FieldValue> fields(String place, JsonParser parser, ValueReader reader) throws IOException {
        long begin = offset(parser);
        int depth = depth(parser);
        Map<String, FieldValue> fields = new HashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            parser.nextToken();
            fields.put(name, reader.read(parser));
            requireShort(place, parser, begin);
            while (depth(parser) > depth) {
                parser.nextToken();
                requireShort(place, parser, begin);
            }
        }
        return fields;
    }

    interface ValueReader {
        /** The value that the parser stands at; it may have been left in an array or object that it has entered. */
        FieldValue read(JsonParser parser) throws IOException;
    }

    /** The scalar that the parser stands at, or the type of what it has entered. */
    static FieldValue value(JsonParser parser) throws IOException {
        FieldValue.Type type = type(parser.currentToken());
        return new FieldValue(
                type, type == FieldValue.Type.STRING || type == FieldValue.Type.NUMBER ? parser.getText() : null);
    }

    /** Likewise, but the first element stands for an array. */
    static FieldValue firstValue(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            return value(parser);
        }
        return parser.nextToken() == JsonToken.END_ARRAY ? FieldValue.NULL : value(parser);
    }

    /** Of arrays and objects that the parser is in. */
    static int depth(JsonParser parser) {
        return parser.getParsingContext().getNestingDepth();
    }

    private static void requireShort(String place, JsonParser parser, long begin) {
        if (offset(parser) - begin > RecordIntake.MAX_RECORD_BYTES) {
            throw tooLong(place);
        }
    }

    private static long offset(JsonParser parser) {
        var location = parser.currentTokenLocation();
        return Math.max(location.getByteOffset(), location.getCharOffset());
    }

    static FieldValue.Type type(JsonToken token) {
        return switch (token) {
            case START_OBJECT -> FieldValue.Type.OBJECT;
            case START_ARRAY -> FieldValue.Type.ARRAY;
            case VALUE_STRING -> FieldValue.Type.STRING;
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> FieldValue.Type.NUMBER;
            case VALUE_TRUE, VALUE_FALSE -> FieldValue.Type.BOOLEAN;
            default -> FieldValue.Type.NULL;
        };
    }

    static BadInputException tooLong(String place) {
        return new BadInputException(
                place + ": longer than " + RecordIntake.MAX_RECORD_BYTES + " bytes, wanted one record");
    }

    /** What is wrong with JSON, in a line. */
    static String problem(JacksonException e) {
        return "not JSON: " + e.getOriginalMessage().lines().findFirst().orElse("");
    }
}
