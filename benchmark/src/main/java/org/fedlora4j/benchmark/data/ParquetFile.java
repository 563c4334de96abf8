package org.fedlora4j.benchmark.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.parquet.bytes.ByteBufferInputStream;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.format.Util;
import org.fedlora4j.common.BadInputException;

/**
 * Reads the columns of a Parquet file that make records, page by page. Apache's parquet-java knows the metadata and the
 * encodings; its own reader of files is not used, as it needs Hadoop and trusts the lengths that it finds
 * (<a href="https://parquet.apache.org/docs/file-format/">format</a>).
 */
final class ParquetFile {
    private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);

    /** The metadata's length and the magic, after the metadata. */
    private static final int TAIL_BYTES = 8;

    private final Path file;
    private final FileChannel channel;
    private final RecordIntake intake;

    private ParquetFile(Path file, FileChannel channel, RecordIntake intake) {
        this.file = file;
        this.channel = channel;
        this.intake = intake;
    }

    /** A corrupt page spoils all rows that follow: that is an error. */
    static void read(Path file, RecordIntake intake) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            new ParquetFile(file, channel, intake).readAll();
        }
    }

    private void readAll() {
        FileMetaData metadata = sound(file.toString(), this::metadata);
        Map<String, SchemaElement> schema = sound(file + ": schema", () -> schema(metadata));
        long rows = 0;
        for (RowGroup group : metadata.getRow_groups()) {
            // Sound data has more than a byte a row; without a bound, a few bytes could stand for any number of rows.
            long groupRows = sound(file.toString(), () -> {
                long number = group.getNum_rows();
                require(number >= 0 && number <= channel.size(), "a group of " + number + " rows");
                return number;
            });
            if (groupRows > 0) {
                readGroup(group, schema, rows);
            }
            rows += groupRows;
        }
    }

    private void readGroup(RowGroup group, Map<String, SchemaElement> schema, long rowsBefore) {
        Map<String, FieldValue> fields = new HashMap<>();
        Map<String, ParquetColumn> columns = new LinkedHashMap<>();
        schema.forEach((name, element) -> {
            fields.put(name, FieldValue.NULL);
            if (intake.wanted().contains(name)) {
                String place = file + ": " + RecordIntake.shown(name);
                ParquetColumn.requireReadable(place, element);
                columns.put(
                        name,
                        sound(
                                place,
                                () -> new ParquetColumn(channel, element, chunk(group, name), group.getNum_rows())));
            }
        });
        for (long row = rowsBefore + 1; row <= rowsBefore + group.getNum_rows(); row++) {
            String place = file + " row " + row;
            columns.forEach((name, column) -> sound(place + ": " + RecordIntake.shown(name), column::advance));
            try {
                columns.forEach(
                        (name, column) -> fields.put(name, column.value(place + ": " + RecordIntake.shown(name))));
            } catch (BadInputException e) {
                intake.broken(e);
                continue;
            }
            intake.add(place, file.getFileName() + ":" + row, fields);
        }
    }

    private FileMetaData metadata() throws IOException {
        long size = channel.size();
        require(size >= MAGIC.length + TAIL_BYTES, size + " bytes");
        ByteBuffer head = read(0, MAGIC.length);
        ByteBuffer tail = read(size - TAIL_BYTES, TAIL_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        int length = tail.getInt();
        ByteBuffer magic = ByteBuffer.wrap(MAGIC);
        require(head.equals(magic) && tail.equals(magic), "no PAR1 at its beginning and end");
        require(length > 0 && length <= size - TAIL_BYTES - MAGIC.length, "metadata of " + length + " bytes");
        ByteBuffer bytes = read(size - TAIL_BYTES - length, length);
        // The bytes that are there limit what the metadata's own lengths may claim.
        return Util.readFileMetaData(ByteBufferInputStream.wrap(bytes), length);
    }

    private ByteBuffer read(long position, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining() && channel.read(bytes, position + bytes.position()) >= 0) {}
        require(!bytes.hasRemaining(), "cut off");
        return bytes.flip();
    }

    /** Columns and groups of columns by name. The list of elements has every group before its children. */
    private static Map<String, SchemaElement> schema(FileMetaData metadata) {
        List<SchemaElement> elements = metadata.getSchema();
        Map<String, SchemaElement> columns = new LinkedHashMap<>();
        int index = 1;
        for (int child = 0; child < elements.get(0).getNum_children(); child++) {
            SchemaElement column = elements.get(index);
            require(
                    columns.put(column.getName(), column) == null,
                    "two columns named " + RecordIntake.shown(column.getName()));
            long inside = 1;
            while (inside > 0) {
                inside += elements.get(index++).getNum_children() - 1L;
            }
        }
        return columns;
    }

    private static ColumnMetaData chunk(RowGroup group, String name) {
        return group.getColumns().stream()
                .filter(chunk -> !chunk.isSetFile_path() && chunk.getMeta_data() != null)
                .map(chunk -> chunk.getMeta_data())
                .filter(metadata -> metadata.getPath_in_schema().equals(List.of(name)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("a group of rows without it"));
    }

    static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    private interface Part<T> {
        T get() throws IOException;
    }

    /**
     * Reads a part of the file. What the library meets in a corrupt one are exceptions of any kind, and arrays of a length
     * that the bytes claim, the failed allocation of which leaves the memory as it was.
     */
    private static <T> T sound(String place, Part<T> part) {
        try {
            return part.get();
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new BadInputException(place + ": not sound Parquet: " + reason, e);
        }
    }
}
