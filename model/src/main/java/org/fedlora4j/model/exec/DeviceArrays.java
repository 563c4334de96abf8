package org.fedlora4j.model.exec;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reads and writes of row-major arrays through ND4J alone, for backends whose memory has no address here. Each moves what it
 * says and no more: ND4J's own scalar access would move a whole buffer between host and device.
 */
final class DeviceArrays {
    private DeviceArrays() {}

    /** Elements of a row-major array, from one on, seen with another shape. */
    static INDArray view(INDArray array, long offset, long... shape) {
        return Nd4j.create(
                array.data(), shape, NativeArrays.strides(shape), array.offset() + offset, 'c', array.dataType());
    }

    static void read(INDArray array, long offset, int length, float[] target) {
        System.arraycopy(view(array, offset, length).toFloatVector(), 0, target, 0, length);
    }

    /** The array may have another type: values are rounded to it, or widened. */
    static void write(float[] source, INDArray array, long offset) {
        try (INDArray values = Nd4j.createFromArray(source)) {
            view(array, offset, source.length).assign(values);
        }
    }

    static void write(int[] source, INDArray array) {
        try (INDArray values = Nd4j.createFromArray(source)) {
            view(array, 0, source.length).assign(values);
        }
    }

    static void copy(INDArray from, long fromOffset, INDArray to, long toOffset, long length) {
        view(to, toOffset, length).assign(view(from, fromOffset, length));
    }
}
