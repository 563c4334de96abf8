package org.fedlora4j.benchmark.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.impl.ColumnReaderImpl;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.FieldRepetitionType;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.format.Type;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type.Repetition;
import org.fedlora4j.common.BadInputException;
import org.jspecify.annotations.Nullable;

/** The values of one column in one group of rows: strings, or the whole numbers that ids may be. */
final class ParquetColumn {
    private final ColumnReader reader;
    private final PrimitiveTypeName type;
    private final int definedLevel;

    /** A string's bytes, a number, or null. */
    private @Nullable Object value;

    /**
     * Opens a column; the first page is read.
     *
     * @param rows of the group
     * @throws IOException or any RuntimeException if the column is corrupt
     */
    ParquetColumn(FileChannel channel, SchemaElement element, ColumnMetaData chunk, long rows) throws IOException {
        this.type = typeName(element.getType());
        this.definedLevel = element.getRepetition_type() == FieldRepetitionType.OPTIONAL ? 1 : 0;
        ParquetFile.require(chunk.getType() == element.getType(), "type " + chunk.getType());
        ParquetFile.require(chunk.getNum_values() == rows, chunk.getNum_values() + " values for " + rows + " rows");
        Repetition repetition = definedLevel == 1 ? Repetition.OPTIONAL : Repetition.REQUIRED;
        ColumnDescriptor descriptor = new ColumnDescriptor(
                new String[] {element.getName()},
                new PrimitiveType(repetition, type, element.getName()),
                0,
                definedLevel);
        this.reader =
                new ColumnReaderImpl(descriptor, new ParquetPages(channel, chunk), new PrimitiveConverter() {}, null);
    }

    /** Refuses columns of lists, structures and other types. */
    static void requireReadable(String place, SchemaElement element) {
        Type type = element.getType();
        boolean flat = element.getNum_children() == 0
                && element.getRepetition_type() != FieldRepetitionType.REPEATED
                && (type == Type.BYTE_ARRAY || type == Type.INT32 || type == Type.INT64);
        if (!flat) {
            throw new BadInputException(place + " is of type "
                    + (element.getNum_children() > 0 ? "group" : element.getRepetition_type() + " " + type)
                    + ", wanted strings");
        }
    }

    /** Goes to the next row; false where it has no value. Fails in any way if the column is corrupt. */
    boolean advance() {
        value = null;
        if (reader.getCurrentDefinitionLevel() == definedLevel) {
            value = switch (type) {
                case INT32 -> (Object) reader.getInteger();
                case INT64 -> reader.getLong();
                default -> reader.getBinary().toByteBuffer();
            };
        }
        reader.consume();
        return value != null;
    }

    /** The row's value; a string that isn't UTF-8 or too long is bad input. */
    FieldValue value(String place) {
        if (value instanceof ByteBuffer bytes) {
            if (bytes.remaining() > RecordIntake.MAX_RECORD_BYTES) {
                throw Json.tooLong(place);
            }
            return FieldValue.string(Utf8.decode(place, bytes));
        }
        return value == null ? FieldValue.NULL : FieldValue.number(value.toString());
    }

    private static PrimitiveTypeName typeName(Type type) {
        return switch (type) {
            case INT32 -> PrimitiveTypeName.INT32;
            case INT64 -> PrimitiveTypeName.INT64;
            default -> PrimitiveTypeName.BINARY;
        };
    }
}
