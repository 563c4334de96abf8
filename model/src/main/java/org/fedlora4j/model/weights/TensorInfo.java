package org.fedlora4j.model.weights;

import java.util.Arrays;
import org.fedlora4j.common.BadInputException;

/** What a tensor of a safetensors file is and where it lies. */
public final class TensorInfo {
    private final ElementType type;
    private final long[] shape;
    private final long begin;
    private final long end;

    /**
     * Takes the claims of a file's header.
     *
     * @param shape row-major; empty for a scalar
     * @param begin first byte, counted from the file's beginning
     * @param end byte after the last
     * @throws BadInputException if the shape is none, or does not have as many bytes as the range
     */
    TensorInfo(ElementType type, long[] shape, long begin, long end) {
        long bytes = byteSize(type, shape);
        if (begin < 0 || end < begin || end - begin != bytes) {
            throw new BadInputException("has bytes " + begin + " to " + end + "; wanted " + bytes + " bytes for " + type
                    + " " + Arrays.toString(shape));
        }
        this.type = type;
        this.shape = shape.clone();
        this.begin = begin;
        this.end = end;
    }

    /** Type of the elements. */
    public ElementType type() {
        return type;
    }

    /** Sizes, row-major; empty for a scalar. */
    public long[] shape() {
        return shape.clone();
    }

    /** First byte, counted from the file's beginning. */
    public long begin() {
        return begin;
    }

    /** The byte after the last. */
    public long end() {
        return end;
    }

    /** Number of bytes. */
    public long byteSize() {
        return end - begin;
    }

    /** Number of elements. */
    public long elements() {
        return byteSize() / type.bytes();
    }

    /** Bytes of a tensor; checks that no size is negative and that the product fits 63 bits. */
    static long byteSize(ElementType type, long[] shape) {
        long bytes = type.bytes();
        for (long size : shape) {
            if (size < 0 || Math.multiplyHigh(bytes, size) != 0 || bytes * size < 0) {
                throw new BadInputException(
                        "has shape " + Arrays.toString(shape) + "; wanted no negative size and fewer than 2^63 bytes");
            }
            bytes *= size;
        }
        return bytes;
    }

    @Override
    public String toString() {
        return type + " " + Arrays.toString(shape);
    }
}
