package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.DataPageHeader;
import org.apache.parquet.format.DictionaryPageHeader;
import org.apache.parquet.format.Encoding;
import org.apache.parquet.format.FieldRepetitionType;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.format.Type;
import org.apache.parquet.format.Util;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file of one row and one page, "abc" in both columns, whose parts claim more than there is. */
class ParquetClaimsTest {
    private static final int HUGE = Integer.MAX_VALUE;
    private static final byte[] PLAIN = {3, 0, 0, 0, 'a', 'b', 'c'};

    @TempDir
    private Path folder;

    private byte[] content;
    private PageHeader page;
    private ColumnMetaData column;
    private RowGroup group;
    private SchemaElement root;
    private FieldRepetitionType repetition;

    @BeforeEach
    void sound() {
        content = PLAIN;
        repetition = FieldRepetitionType.REQUIRED;
        page = new PageHeader(PageType.DATA_PAGE, PLAIN.length, PLAIN.length);
        page.setData_page_header(new DataPageHeader(1, Encoding.PLAIN, Encoding.RLE, Encoding.RLE));
        column = new ColumnMetaData(
                Type.BYTE_ARRAY, List.of(Encoding.PLAIN), List.of(), CompressionCodec.UNCOMPRESSED, 1, 0, 0, 4);
        group = new RowGroup(List.of(), 0, 1);
        root = new SchemaElement("root").setNum_children(2);
    }

    @Test
    void theFileIsSound() throws IOException {
        assertThat(InstructionData.read(write()))
                .containsExactly(new InstructionRecord("abc", "", "abc", "", "data.parquet:1"));
    }

    @Test
    void refusesClaimsOfTheMetadata() throws IOException {
        assertRefused("a group of 1152921504606846976 rows", () -> group.setNum_rows(1L << 60));
        assertRefused("a group of -1 rows", () -> group.setNum_rows(-1));
        assertRefused("2 values for 1 rows", () -> column.setNum_values(2));
        assertRefused("of the file", () -> column.setData_page_offset(Long.MAX_VALUE));
        assertRefused("of the file", () -> column.setData_page_offset(-1));
        assertRefused("of the file", () -> column.setTotal_compressed_size(Long.MAX_VALUE));
        assertRefused("schema: not sound Parquet", () -> root.setNum_children(HUGE));
        assertRefused("type INT32", () -> column.setType(Type.INT32));
    }

    @Test
    void refusesClaimsOfPages() throws IOException {
        assertRefused("not sound Parquet", () -> page.setCompressed_page_size(HUGE));
        assertRefused("not sound Parquet", () -> page.setCompressed_page_size(-1));
        assertRefused("a page of 2147483647 bytes", () -> page.setUncompressed_page_size(HUGE));
        assertRefused("a page of 8 bytes that has 7", () -> page.setUncompressed_page_size(8));
        assertRefused("7 bytes that stand for 200000000", () -> {
            column.setCodec(CompressionCodec.SNAPPY);
            page.setUncompressed_page_size(200_000_000);
        });
        assertRefused(
                "a page of 2147483647 values", () -> page.getData_page_header().setNum_values(HUGE));
        assertRefused(
                "a dictionary of 2147483647 entries in 7 bytes",
                () -> page.setType(PageType.DICTIONARY_PAGE)
                        .setDictionary_page_header(new DictionaryPageHeader(HUGE, Encoding.PLAIN)));
    }

    @Test
    void refusesLengthsWithinPages() throws IOException {
        assertRefused("not sound Parquet", () -> content = new byte[] {-1, -1, -1, 127, 'a', 'b', 'c'});
        // Definition levels: 2^27 groups of 8, for which the library allocates 4 GiB.
        assertRefused("not sound Parquet: Java heap space", () -> {
            repetition = FieldRepetitionType.OPTIONAL;
            content = new byte[] {5, 0, 0, 0, (byte) 0x81, (byte) 0x80, (byte) 0x80, (byte) 0x80, 1};
            page.setCompressed_page_size(content.length).setUncompressed_page_size(content.length);
        });
    }

    private void assertRefused(String problem, Runnable change) throws IOException {
        sound();
        change.run();
        Path file = write();
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(problem)
                .hasMessageNotContaining("\n");
    }

    private Path write() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("PAR1".getBytes(StandardCharsets.US_ASCII));
        Util.writePageHeader(page, out);
        out.writeBytes(content);
        if (column.getTotal_compressed_size() == 0) {
            column.setTotal_compressed_size(out.size() - 4);
        }
        FileMetaData metadata =
                new FileMetaData(1, List.of(root, string("instruction"), string("output")), 1, List.of(group));
        group.setColumns(List.of(chunk("instruction"), chunk("output")));
        int begin = out.size();
        Util.writeFileMetaData(metadata, out);
        ByteBuffer length = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
        out.writeBytes(length.putInt(out.size() - begin).array());
        out.writeBytes("PAR1".getBytes(StandardCharsets.US_ASCII));
        return Files.write(folder.resolve("data.parquet"), out.toByteArray());
    }

    private SchemaElement string(String name) {
        return new SchemaElement(name).setType(Type.BYTE_ARRAY).setRepetition_type(repetition);
    }

    /** Both columns have the same page. */
    private ColumnChunk chunk(String name) {
        ColumnMetaData metadata = column.deepCopy();
        metadata.setPath_in_schema(List.of(name));
        return new ColumnChunk(4).setMeta_data(metadata);
    }
}
