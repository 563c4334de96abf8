package org.fedlora4j.benchmark.data;

import io.airlift.compress.Decompressor;
import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import io.airlift.compress.zstd.ZstdInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.format.CompressionCodec;

/** Decompresses the pages of Parquet files. */
final class ParquetCodec {
    /** Writers make pages of 1 MiB or a few thousand values. */
    private static final int MAX_PAGE_BYTES = 256 << 20;

    /** What a byte of LZ4 can stand for, and more than a byte of Snappy can. */
    private static final long MAX_RATIO = 255;

    private ParquetCodec() {}

    /**
     * The bytes of a page.
     *
     * @param length that the page claims, by which nothing is allocated unless the compressed bytes can have it
     * @throws IOException or any RuntimeException if the bytes don't decompress to that length
     */
    static byte[] decompress(CompressionCodec codec, ByteBuffer compressed, int length) throws IOException {
        ParquetFile.require(length >= 0 && length <= MAX_PAGE_BYTES, "a page of " + length + " bytes");
        byte[] source = new byte[compressed.remaining()];
        compressed.get(source);
        // A page of nulls only has no values, and some writers don't compress nothing.
        byte[] bytes = source.length == 0 || codec == CompressionCodec.UNCOMPRESSED
                ? source
                : switch (codec) {
                    case SNAPPY -> whole(new SnappyDecompressor(), source, length);
                    case LZ4_RAW -> whole(new Lz4Decompressor(), source, length);
                    case GZIP -> stream(new GZIPInputStream(new ByteArrayInputStream(source)), length);
                    case ZSTD -> stream(new ZstdInputStream(new ByteArrayInputStream(source)), length);
                    default ->
                        throw new IOException(
                                "compressed with " + codec + ", wanted SNAPPY, ZSTD, GZIP, LZ4_RAW or nothing");
                };
        ParquetFile.require(bytes.length == length, "a page of " + length + " bytes that has " + bytes.length);
        return bytes;
    }

    private static byte[] whole(Decompressor decompressor, byte[] source, int length) {
        ParquetFile.require(length <= source.length * MAX_RATIO, source.length + " bytes that stand for " + length);
        byte[] bytes = new byte[length];
        int written = decompressor.decompress(source, 0, source.length, bytes, 0, length);
        ParquetFile.require(written == length, "a page of " + length + " bytes that has " + written);
        return bytes;
    }

    /** Allocates as it goes. */
    private static byte[] stream(InputStream in, int length) throws IOException {
        try (in) {
            return in.readNBytes(length + 1);
        }
    }
}
