package org.fedlora4j.model.weights;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Set;

/** An open file that holds tensors by name, of any format. Safe for use by several threads. */
public interface TensorFile extends Closeable {
    Path path();

    /** The tensors, in the file's order; the other methods take these names only. */
    Set<String> names();

    ElementType type(String name);

    /** Sizes, row-major; empty for a scalar. */
    long[] shape(String name);

    /** Elements of an F32, F16 or BF16 tensor of one or two dimensions; see {@link WeightSource#read}. */
    void read(String name, long begin, ElementType type, ByteBuffer out) throws IOException;
}
