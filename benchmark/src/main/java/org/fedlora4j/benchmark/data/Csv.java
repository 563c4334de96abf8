package org.fedlora4j.benchmark.data;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.CsvRecordHandler;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.fedlora4j.common.BadInputException;

/** Reads tables in UTF-8 as RFC 4180 has them: a header line, quoted fields that may hold line ends. */
final class Csv {
    /** The parser's messages, which name the line last. */
    private static final Pattern FAULT = Pattern.compile("(.*) \\(record starting at line (\\d+)\\)");

    private final Path file;
    private final RecordIntake intake;

    private Csv(Path file, RecordIntake intake) {
        this.file = file;
        this.intake = intake;
    }

    /** After a fault of quoting, where the next record begins is not known: that is an error. */
    static void read(Path file, char separator, RecordIntake intake) throws IOException {
        CsvReader.CsvReaderBuilder builder = CsvReader.builder()
                .fieldSeparator(separator)
                .allowUnclosedQuote(false)
                .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
                .missingFieldStrategy(FieldMismatchStrategy.IGNORE);
        CsvRecordHandler handler = CsvRecordHandler.builder()
                .maxFieldSize(RecordIntake.MAX_RECORD_BYTES)
                .maxRecordSize(RecordIntake.MAX_RECORD_BYTES)
                .build();
        // Every byte a character: what separates fields is the same in ASCII and UTF-8, and a field that isn't UTF-8
        // spoils no other.
        try (InputStream in = Utf8.open(file);
                CsvReader<CsvRecord> records = builder.build(handler, in, StandardCharsets.ISO_8859_1)) {
            new Csv(file, intake).readAll(records.iterator());
        } catch (CsvParseException e) {
            throw new BadInputException(
                    file + FAULT.matcher(": " + e.getMessage()).replaceFirst(" line $2$1"), e);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private void readAll(Iterator<CsvRecord> records) {
        if (!records.hasNext()) {
            return;
        }
        List<String> header = header(records.next());
        while (records.hasNext()) {
            CsvRecord record = records.next();
            String place = place(record);
            List<String> values;
            try {
                values = fields(record);
            } catch (BadInputException e) {
                intake.broken(e);
                continue;
            }
            if (values.size() != header.size()) {
                intake.broken(new BadInputException(
                        place + ": " + values.size() + " fields, wanted " + header.size() + ", as in the header"));
                continue;
            }
            Map<String, FieldValue> fields = new HashMap<>();
            for (int i = 0; i < values.size(); i++) {
                fields.put(header.get(i), FieldValue.string(values.get(i)));
            }
            intake.add(place, file.getFileName() + ":" + record.getStartingLineNumber(), fields);
        }
    }

    private List<String> header(CsvRecord record) {
        List<String> names = fields(record);
        Set<String> distinct = new HashSet<>();
        for (String name : names) {
            if (name.isBlank()) {
                throw new BadInputException(place(record) + ": a column without a name, wanted a header");
            }
            if (!distinct.add(name)) {
                throw new BadInputException(
                        place(record) + ": two columns named " + RecordIntake.shown(name) + ", wanted different names");
            }
        }
        return names;
    }

    private List<String> fields(CsvRecord record) {
        List<String> fields = new ArrayList<>();
        for (String field : record.getFields()) {
            fields.add(Utf8.decode(place(record), ByteBuffer.wrap(field.getBytes(StandardCharsets.ISO_8859_1))));
        }
        return fields;
    }

    private String place(CsvRecord record) {
        return file + " line " + record.getStartingLineNumber();
    }
}
