package org.fedlora4j.benchmark.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.common.BadInputException;

/**
 * Reads instructions from JSON Lines in UTF-8, one object a line, in either of two schemas, Dolly's ({@code instruction,
 * context, response, category}) or Alpaca's ({@code instruction, input, output}); each line may be of the one or the
 * other. The input and the category may be missing or null; other fields are ignored, and so are blank lines.
 */
public final class JsonLines {
    /** Holds back a file that has no lines, before it fills the memory. */
    private static final int MAX_LINE_BYTES = 16 << 20;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Path file;
    private int line;

    private JsonLines(Path file) {
        this.file = file;
    }

    /**
     * The records of a file in its order; ids are the field {@code id}, else file name and line number.
     *
     * @throws BadInputException if a line isn't a record (named by its number), or if there is no record
     */
    public static List<InstructionRecord> read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new BadInputException(file + ": no such file, wanted JSON Lines");
        }
        return new JsonLines(file).readAll();
    }

    private List<InstructionRecord> readAll() throws IOException {
        List<InstructionRecord> records = new ArrayList<>();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            while (readLine(in, bytes)) {
                String text = decode(bytes.toByteArray());
                if (!text.isBlank()) {
                    records.add(record(text));
                }
            }
        }
        if (records.isEmpty()) {
            throw new BadInputException(file + ": no records, wanted JSON Lines");
        }
        return records;
    }

    /** Puts the next line into the buffer; false at the end of the file. */
    private boolean readLine(InputStream in, ByteArrayOutputStream bytes) throws IOException {
        bytes.reset();
        line++;
        int next = in.read();
        if (next < 0) {
            return false;
        }
        for (; next >= 0 && next != '\n'; next = in.read()) {
            if (bytes.size() == MAX_LINE_BYTES) {
                throw bad("longer than " + MAX_LINE_BYTES + " bytes, wanted one record");
            }
            bytes.write(next);
        }
        return true;
    }

    private String decode(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw bad("not UTF-8");
        }
    }

    private InstructionRecord record(String text) {
        JsonNode record;
        try {
            record = MAPPER.readTree(text);
        } catch (JacksonException e) {
            throw bad("not JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""));
        }
        if (!record.isObject()) {
            throw bad("holds " + record.getNodeType() + ", wanted a JSON object");
        }
        String response = record.has("output") ? "output" : "response";
        String input = record.has("input") ? "input" : "context";
        return new InstructionRecord(
                string(record, "instruction"),
                stringOrEmpty(record, input),
                string(record, response),
                stringOrEmpty(record, "category"),
                record.path("id").asText(file.getFileName() + ":" + line));
    }

    private String stringOrEmpty(JsonNode record, String field) {
        return record.path(field).isMissingNode() || record.get(field).isNull() ? "" : string(record, field);
    }

    private String string(JsonNode record, String field) {
        JsonNode value = record.path(field);
        if (value.isMissingNode()) {
            throw bad("no " + field + ", wanted a string");
        }
        if (!value.isTextual()) {
            throw bad(field + " is " + value.getNodeType() + ", wanted a string");
        }
        return value.textValue();
    }

    private BadInputException bad(String problem) {
        return new BadInputException(file + " line " + line + ": " + problem);
    }
}
