package org.fedlora4j.model.exec;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;
import org.fedlora4j.kernels.Numbers;
import org.fedlora4j.kernels.Product;
import org.fedlora4j.kernels.WeightMatrix;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Arrays over memory that somebody else owns. Whoever wraps keeps the owner reachable and never frees it meanwhile.
 *
 * <p>What reads, writes or copies works on every backend; what gives an address or a buffer, only where arrays have one.
 */
public final class NativeArrays {
    static {
        NativeRuntime.ensure();
    }

    private NativeArrays() {}

    private static boolean haveAddresses() {
        return Backend.active().sharesMemory();
    }

    private static void requireAddresses() {
        if (!haveAddresses()) {
            throw new IllegalStateException("arrays of the backend " + Backend.active() + " have no address");
        }
    }

    /** A row-major array over {@code address}, which holds at least the shape's elements. Nothing is copied. */
    public static INDArray wrap(long address, DataType type, long... shape) {
        requireAddresses();
        long length = 1;
        for (long size : shape) {
            length = Math.multiplyExact(length, size);
        }
        return Nd4j.create(
                Nd4j.createBuffer(new Address(address, length), length, type), shape, strides(shape), 0, 'c', type);
    }

    /** Where a row-major array's elements begin. */
    public static long address(INDArray array) {
        requireAddresses();
        return array.data().address();
    }

    /**
     * A row-major array's floats as a buffer over the same memory.
     *
     * @throws IllegalArgumentException if there are more than a buffer can hold, 2 GiB
     */
    public static FloatBuffer buffer(INDArray array) {
        if (array.length() > Integer.MAX_VALUE / Float.BYTES || array.dataType() != DataType.FLOAT) {
            throw new IllegalArgumentException(
                    array.shapeInfoToString() + " as a buffer; wanted floats of less than 2 GiB");
        }
        return new FloatPointer(new Address(address(array), array.length())).asBuffer();
    }

    /**
     * A row-major array of floats or bfloat16 for kernels, over the same memory.
     *
     * @throws IllegalArgumentException if there are more than a buffer can hold, 2 GiB
     */
    public static Numbers numbers(INDArray array) {
        if (array.dataType() != DataType.BFLOAT16) {
            return Numbers.of(buffer(array));
        }
        if (array.length() > Integer.MAX_VALUE / Short.BYTES) {
            throw new IllegalArgumentException(array.shapeInfoToString() + " as a buffer; wanted less than 2 GiB");
        }
        return Numbers.ofBf16(new ShortPointer(new Address(address(array), array.length())).asBuffer());
    }

    /** The type of an array's elements as products know it. */
    public static Product.Type productType(INDArray array) {
        return switch (array.dataType()) {
            case FLOAT -> Product.Type.F32;
            case BFLOAT16 -> Product.Type.BF16;
            case HALF -> Product.Type.F16;
            default -> throw new IllegalArgumentException("a product of " + array.dataType());
        };
    }

    /** A row-major matrix as products read or write it. */
    public static Product.Operand operand(INDArray matrix, boolean transposed) {
        return new Product.Operand(productType(matrix), transposed, matrix.size(1));
    }

    /** A row-major weight [rows, columns], or [columns] as one row, for kernels, over the same memory. */
    public static WeightMatrix matrix(INDArray weight) {
        int columns = Math.toIntExact(weight.size(-1));
        return new WeightMatrix(
                bytes(weight), productType(weight), Math.toIntExact(weight.length() / columns), columns);
    }

    /**
     * A row-major array's elements of any type as bytes over the same memory.
     *
     * @throws IllegalArgumentException if there are more than a buffer can hold, 2 GiB
     */
    public static ByteBuffer bytes(INDArray array) {
        long bytes = array.length() * array.dataType().width();
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(array.shapeInfoToString() + " as a buffer; wanted less than 2 GiB");
        }
        return new BytePointer(new Address(address(array), bytes)).asByteBuffer();
    }

    /** Copies a row-major array's floats out; {@code target} holds its length. */
    public static void read(INDArray array, float[] target) {
        if (haveAddresses()) {
            new FloatPointer(array.data().addressPointer()).get(target, 0, Math.toIntExact(array.length()));
        } else {
            DeviceArrays.read(array, 0, Math.toIntExact(array.length()), target);
        }
    }

    /** Copies floats into a row-major array. */
    public static void write(float[] source, INDArray array) {
        if (source.length != array.length()) {
            throw new IllegalArgumentException(source.length + " values for an array of " + array.length());
        }
        if (haveAddresses()) {
            new FloatPointer(array.data().addressPointer()).put(source, 0, source.length);
        } else {
            DeviceArrays.write(source, array, 0);
        }
    }

    /** Copies floats into a row-major array from an element on; one of another type rounds them. */
    public static void writeAt(float[] source, INDArray array, long offset) {
        if (offset + source.length > array.length()) {
            throw new IllegalArgumentException(
                    source.length + " values from " + offset + " on for an array of " + array.length());
        }
        if (haveAddresses() && array.dataType() == DataType.FLOAT) {
            new FloatPointer(new Address(array.data().address() + offset * Float.BYTES, source.length)).put(source);
        } else {
            DeviceArrays.write(source, array, offset);
        }
    }

    /** Copies ints into an int32 array. */
    public static void write(int[] source, INDArray array) {
        if (source.length != array.length()) {
            throw new IllegalArgumentException(source.length + " values for an array of " + array.length());
        }
        if (haveAddresses()) {
            new IntPointer(array.data().addressPointer()).put(source, 0, source.length);
        } else {
            DeviceArrays.write(source, array);
        }
    }

    /** Copies a row of a row-major matrix of floats out. */
    public static void readRow(INDArray matrix, long row, float[] target) {
        long columns = matrix.size(1);
        if (target.length != columns || row >= matrix.size(0)) {
            throw new IllegalArgumentException(
                    "row " + row + " of " + matrix.shapeInfoToString() + " into " + target.length + " floats");
        }
        if (haveAddresses()) {
            new FloatPointer(new Address(matrix.data().address() + row * columns * Float.BYTES, columns)).get(target);
        } else {
            DeviceArrays.read(matrix, row * columns, target.length, target);
        }
    }

    /** Copies a run of floats from one row-major array into another; offsets and length in elements. */
    public static void copy(INDArray from, long fromOffset, INDArray to, long toOffset, long length) {
        if (fromOffset + length > from.length() || toOffset + length > to.length()) {
            throw new IllegalArgumentException(length + " floats from " + fromOffset + " of " + from.length() + " to "
                    + toOffset + " of " + to.length());
        }
        if (haveAddresses()) {
            Pointer.memcpy(
                    new Address(to.data().address() + toOffset * Float.BYTES, length),
                    new Address(from.data().address() + fromOffset * Float.BYTES, length),
                    length * Float.BYTES);
        } else {
            DeviceArrays.copy(from, fromOffset, to, toOffset, length);
        }
    }

    static long[] strides(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape[i];
        }
        return strides;
    }

    /** A bare address, as ND4J wants it. */
    private static final class Address extends Pointer {
        Address(long address, long capacity) {
            this.address = address;
            this.capacity = capacity;
            this.limit = capacity;
        }
    }
}
