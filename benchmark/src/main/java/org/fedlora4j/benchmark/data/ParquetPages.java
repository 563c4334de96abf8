package org.fedlora4j.benchmark.data;

import java.io.IOException;
import java.nio.channels.FileChannel;
import org.apache.parquet.bytes.ByteBufferInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DataPageV1;
import org.apache.parquet.column.page.DataPageV2;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.DataPageHeader;
import org.apache.parquet.format.DataPageHeaderV2;
import org.apache.parquet.format.DictionaryPageHeader;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.Util;
import org.apache.parquet.io.ParquetDecodingException;
import org.jspecify.annotations.Nullable;

/** The pages of a column in a group of rows, one in memory at a time. Fails in any way if they are corrupt. */
final class ParquetPages implements PageReader {
    private final ColumnMetaData chunk;
    private final ByteBufferInputStream in;

    /** Values that no page has had yet. */
    private long values;

    /** The header that has been read, until its page is. */
    private @Nullable PageHeader header;

    ParquetPages(FileChannel channel, ColumnMetaData chunk) throws IOException {
        this.chunk = chunk;
        this.values = chunk.getNum_values();
        long begin = chunk.getData_page_offset();
        if (chunk.isSetDictionary_page_offset() && chunk.getDictionary_page_offset() > 0) {
            begin = Math.min(begin, chunk.getDictionary_page_offset());
        }
        long size = chunk.getTotal_compressed_size();
        ParquetFile.require(
                begin > 0 && size > 0 && size <= channel.size() - begin, size + " bytes at " + begin + " of the file");
        this.in = ByteBufferInputStream.wrap(channel.map(FileChannel.MapMode.READ_ONLY, begin, size));
    }

    @Override
    public long getTotalValueCount() {
        return chunk.getNum_values();
    }

    /** The dictionary comes first, if there is one. */
    @Override
    public @Nullable DictionaryPage readDictionaryPage() {
        try {
            PageHeader next = nextHeader();
            if (next.getType() != PageType.DICTIONARY_PAGE) {
                header = next;
                return null;
            }
            byte[] bytes = content(next.getCompressed_page_size(), next.getUncompressed_page_size(), true);
            DictionaryPageHeader dictionary = next.getDictionary_page_header();
            int entries = dictionary.getNum_values();
            // Plain entries begin with a length or are a number: 4 bytes at least.
            ParquetFile.require(
                    entries >= 0 && entries <= bytes.length / Integer.BYTES,
                    "a dictionary of " + entries + " entries in " + bytes.length + " bytes");
            return new DictionaryPage(BytesInput.from(bytes), entries, Encoding.PLAIN);
        } catch (IOException e) {
            throw new ParquetDecodingException(e.getMessage(), e);
        }
    }

    @Override
    public DataPage readPage() {
        try {
            PageHeader next = nextHeader();
            DataPage page = switch (next.getType()) {
                case DATA_PAGE -> page(next, next.getData_page_header());
                case DATA_PAGE_V2 -> page(next, next.getData_page_header_v2());
                default -> throw new IOException("a " + next.getType() + " where data should be");
            };
            ParquetFile.require(
                    page.getValueCount() > 0 && page.getValueCount() <= values,
                    "a page of " + page.getValueCount() + " values where " + values + " are left");
            values -= page.getValueCount();
            return page;
        } catch (IOException e) {
            throw new ParquetDecodingException(e.getMessage(), e);
        }
    }

    private DataPage page(PageHeader next, DataPageHeader data) throws IOException {
        byte[] bytes = content(next.getCompressed_page_size(), next.getUncompressed_page_size(), true);
        return new DataPageV1(
                BytesInput.from(bytes),
                data.getNum_values(),
                bytes.length,
                null,
                encoding(data.getRepetition_level_encoding()),
                encoding(data.getDefinition_level_encoding()),
                encoding(data.getEncoding()));
    }

    /** The levels come first, and are never compressed. */
    private DataPage page(PageHeader next, DataPageHeaderV2 data) throws IOException {
        int repetitionBytes = data.getRepetition_levels_byte_length();
        int definitionBytes = data.getDefinition_levels_byte_length();
        int levelBytes = Math.addExact(repetitionBytes, definitionBytes);
        BytesInput repetition = BytesInput.from(in.slice(repetitionBytes));
        BytesInput definition = BytesInput.from(in.slice(definitionBytes));
        byte[] bytes = content(
                next.getCompressed_page_size() - levelBytes,
                next.getUncompressed_page_size() - levelBytes,
                data.isIs_compressed());
        return DataPageV2.uncompressed(
                data.getNum_rows(),
                data.getNum_nulls(),
                data.getNum_values(),
                repetition,
                definition,
                encoding(data.getEncoding()),
                BytesInput.from(bytes),
                null);
    }

    private PageHeader nextHeader() throws IOException {
        PageHeader next = header == null ? Util.readPageHeader(in) : header;
        header = null;
        return next;
    }

    /** Takes a page's values out of the stream. */
    private byte[] content(int compressedBytes, int bytes, boolean compressed) throws IOException {
        CompressionCodec codec = compressed ? chunk.getCodec() : CompressionCodec.UNCOMPRESSED;
        return ParquetCodec.decompress(codec, in.slice(compressedBytes), bytes);
    }

    private static Encoding encoding(org.apache.parquet.format.Encoding encoding) {
        return Encoding.valueOf(encoding.name());
    }
}
