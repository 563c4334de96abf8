package org.fedlora4j.benchmark.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.fedlora4j.common.BadInputException;

/** Reads JSON Lines in UTF-8, an object a line; blank lines are ignored. */
final class JsonLines {
    private final Path file;
    private final InputStream in;
    private final RecordIntake intake;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private int line;

    private JsonLines(Path file, InputStream in, RecordIntake intake) {
        this.file = file;
        this.in = in;
        this.intake = intake;
    }

    /** Every line is a record of its own: those that aren't sound spoil no other. */
    static void read(Path file, RecordIntake intake) throws IOException {
        try (InputStream in = new BufferedInputStream(Utf8.open(file), 1 << 16)) {
            new JsonLines(file, in, intake).readAll();
        }
    }

    private void readAll() throws IOException {
        while (readLine()) {
            String place = place();
            Map<String, FieldValue> fields;
            try {
                String text = Utf8.decode(place, ByteBuffer.wrap(bytes.toByteArray()));
                if (text.isBlank()) {
                    continue;
                }
                fields = fields(place, text);
            } catch (BadInputException e) {
                intake.broken(e);
                continue;
            }
            intake.add(place, file.getFileName() + ":" + line, fields);
        }
    }

    private String place() {
        return file + " line " + line;
    }

    /** Puts the next line into the buffer, of one that is too long its beginning; false at the end of the file. */
    private boolean readLine() throws IOException {
        bytes.reset();
        line++;
        int next = in.read();
        if (next < 0) {
            return false;
        }
        boolean fits = true;
        for (; next >= 0 && next != '\n'; next = in.read()) {
            if (bytes.size() < RecordIntake.MAX_RECORD_BYTES) {
                bytes.write(next);
            } else if (fits) {
                fits = false;
                intake.broken(Json.tooLong(place()));
            }
        }
        return fits || readLine();
    }

    private Map<String, FieldValue> fields(String place, String text) throws IOException {
        try (JsonParser parser = Json.FACTORY.createParser(text)) {
            JsonToken first = parser.nextToken();
            if (first != JsonToken.START_OBJECT) {
                throw new BadInputException(place + ": holds " + Json.type(first) + ", wanted a JSON object");
            }
            Map<String, FieldValue> fields = Json.fields(place, parser, Json::value);
            if (parser.nextToken() != null) {
                throw new BadInputException(place + ": more than one JSON object, wanted one a line");
            }
            return fields;
        } catch (JacksonException e) {
            throw new BadInputException(place + ": " + Json.problem(e), e);
        }
    }
}
