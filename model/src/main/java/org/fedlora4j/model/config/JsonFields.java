package org.fedlora4j.model.config;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object from outside whose fields are read with checks. A field that is absent and one that is {@code null} are
 * the same. Every failure is a {@link BadInputException} that names the place and the field, the value found and the
 * value wanted.
 *
 * @param place what messages call the object: a file, or a file and a field
 */
public record JsonFields(String place, ObjectNode node) {
    /** Most bytes of a text. Those of the largest models have some hundred kilobytes, and a tree takes 30 times as much. */
    public static final int MAX_BYTES = 16 << 20;

    private static final JsonMapper STRICT = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Reads a file that holds one JSON object. */
    public static JsonFields read(Path file) throws IOException {
        InputFiles.require(file, "a JSON file");
        long size = Files.size(file);
        if (size > MAX_BYTES) {
            throw new BadInputException(file + ": " + size + " bytes; wanted at most " + MAX_BYTES);
        }
        return parse(file.toString(), Files.readAllBytes(file));
    }

    /** Parses one JSON object, in UTF-8, with nothing but space after it. */
    public static JsonFields parse(String place, byte[] json) {
        try {
            // Decoded here, as Jackson would also take UTF-16 and UTF-32.
            CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json));
            return parse(place, text.toString());
        } catch (CharacterCodingException e) {
            throw new BadInputException(place + ": not UTF-8", e);
        }
    }

    private static JsonFields parse(String place, String json) {
        JsonNode tree;
        try (JsonParser parser = STRICT.createParser(json)) {
            tree = STRICT.readValue(parser, JsonNode.class);
        } catch (JsonProcessingException e) {
            throw new BadInputException(place + ": not JSON: " + firstLine(e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new BadInputException(place + ": not JSON: " + firstLine(e.getMessage()), e);
        }
        if (!(tree instanceof ObjectNode object)) {
            throw new BadInputException(place + ": found no JSON object; wanted one");
        }
        return new JsonFields(place, object);
    }

    public boolean has(String field) {
        return node.hasNonNull(field);
    }

    public int positiveInt(String field) {
        JsonNode value = require(field, "a positive integer");
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 1) {
            throw wrong(field, "a positive integer below 2^31");
        }
        return value.intValue();
    }

    public int positiveInt(String field, int otherwise) {
        return has(field) ? positiveInt(field) : otherwise;
    }

    public double positiveNumber(String field) {
        JsonNode value = require(field, "a positive number");
        if (!value.isNumber() || !(value.doubleValue() > 0) || Double.isInfinite(value.doubleValue())) {
            throw wrong(field, "a positive number");
        }
        return value.doubleValue();
    }

    public double positiveNumber(String field, double otherwise) {
        return has(field) ? positiveNumber(field) : otherwise;
    }

    public boolean bool(String field, boolean otherwise) {
        if (!has(field)) {
            return otherwise;
        }
        if (!node.get(field).isBoolean()) {
            throw wrong(field, "true or false");
        }
        return node.get(field).booleanValue();
    }

    public String text(String field) {
        if (!require(field, "a text").isTextual()) {
            throw wrong(field, "a text");
        }
        return node.get(field).textValue();
    }

    /** The object in a field, if the field is there. */
    public Optional<JsonFields> object(String field) {
        if (!has(field)) {
            return Optional.empty();
        }
        if (!(node.get(field) instanceof ObjectNode object)) {
            throw wrong(field, "an object");
        }
        return Optional.of(new JsonFields(place + ": " + field, object));
    }

    /** The field names, in the file's order. */
    public List<String> names() {
        return node.propertyStream().map(Map.Entry::getKey).toList();
    }

    /** The error to throw for a field whose value will not do. */
    public BadInputException wrong(String field, String wanted) {
        String found = has(field) ? shorten(node.get(field).toString()) : "missing";
        return new BadInputException(place + ": " + field + " is " + found + "; wanted " + wanted);
    }

    private JsonNode require(String field, String wanted) {
        if (!has(field)) {
            throw wrong(field, wanted);
        }
        return node.get(field);
    }

    private static String shorten(String value) {
        return value.length() <= 120 ? value : value.substring(0, 120) + "...";
    }

    private static String firstLine(@Nullable String message) {
        return shorten(String.valueOf(message).lines().findFirst().orElse(""));
    }
}
