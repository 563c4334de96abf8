package org.fedlora4j.converter.torch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.weights.FileBytes;

/**
 * Which elements of a storage a tensor has: that at place {@code (i, j, ...)} is element {@code offset + i * strides[0] +
 * j * strides[1] + ...}.
 *
 * @param shape sizes, row-major; empty for a scalar
 * @param strides as many as there are sizes, none negative
 */
record StridedView(long offset, long[] shape, long[] strides) {
    private static final int CHUNK_BYTES = 1 << 16;

    public StridedView {
        if (offset < 0
                || shape.length != strides.length
                || Arrays.stream(shape).anyMatch(size -> size < 0)
                || Arrays.stream(strides).anyMatch(stride -> stride < 0)) {
            throw new BadInputException("a tensor has offset " + offset + ", shape " + Arrays.toString(shape)
                    + ", strides " + Arrays.toString(strides) + "; wanted as many strides as sizes, none negative");
        }
    }

    /** Refuses a view that reaches beyond its storage, or has more elements than there are, some of them twice. */
    void requireWithin(long elements) {
        try {
            long count = 1;
            long last = offset;
            for (int i = 0; i < shape.length; i++) {
                count = Math.multiplyExact(count, shape[i]);
                last = Math.addExact(last, Math.multiplyExact(Math.max(shape[i] - 1, 0), strides[i]));
            }
            if (count == 0 || (count <= elements && last < elements)) {
                return;
            }
        } catch (ArithmeticException e) {
            // Beyond any storage.
        }
        throw new BadInputException("a tensor has offset " + offset + ", shape " + Arrays.toString(shape) + ", strides "
                + Arrays.toString(strides) + "; wanted one within the " + elements + " elements of its storage");
    }

    /**
     * Reads elements of a tensor of one or two dimensions, row-major. Memory does not grow with the strides.
     *
     * @param storage position of the storage's first byte in the file
     * @param bytes of an element
     * @param begin the first element
     * @param out as much as there is room for is read
     */
    void read(FileChannel channel, long storage, int bytes, long begin, ByteBuffer out) throws IOException {
        long columns = shape[shape.length - 1];
        long columnStride = strides[strides.length - 1];
        // The stride of a single row means nothing.
        long rowStride = shape.length == 1 || shape[0] == 1 ? columns * columnStride : strides[0];
        if (columnStride == 1 && rowStride == columns) {
            FileBytes.readFully(channel, storage + (offset + begin) * bytes, out);
            return;
        }
        long end = begin + out.remaining() / bytes;
        Target target = new Target(channel, storage, bytes, out);
        if (columnStride <= rowStride) {
            for (long row = begin / columns; row * columns < end; row++) {
                long first = Math.max(begin - row * columns, 0);
                long count = Math.min(end - row * columns, columns) - first;
                long from = offset + row * rowStride + first * columnStride;
                target.copy(from, columnStride, count, row * columns + first - begin, 1);
            }
        } else {
            // A transposed matrix: elements of a column lie together.
            for (long column = 0; column < columns; column++) {
                long first = ceilDiv(begin - column, columns);
                long count = ceilDiv(end - column, columns) - first;
                long from = offset + first * rowStride + column * columnStride;
                target.copy(from, rowStride, count, first * columns + column - begin, columns);
            }
        }
        out.position(out.limit());
    }

    private static long ceilDiv(long value, long divisor) {
        return -Math.floorDiv(-value, divisor);
    }

    /** Where elements go, and where they come from. */
    private record Target(FileChannel channel, long storage, int bytes, ByteBuffer out) {
        /** Copies elements at equal distances to places at equal distances; places count from the buffer's position. */
        void copy(long from, long stride, long count, long to, long step) throws IOException {
            long atOnce = 1 + (CHUNK_BYTES / bytes - 1) / Math.max(stride, 1);
            for (long done = 0; done < count; done += atOnce) {
                int elements = (int) Math.min(atOnce, count - done);
                int span = (int) ((elements - 1) * stride + 1);
                ByteBuffer chunk = FileBytes.read(channel, storage + (from + done * stride) * bytes, span * bytes);
                for (int i = 0; i < elements; i++) {
                    int place = out.position() + (int) (to + (done + i) * step) * bytes;
                    out.put(place, chunk, (int) (i * stride) * bytes, bytes);
                }
            }
        }
    }
}
