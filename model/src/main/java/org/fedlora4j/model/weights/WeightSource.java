package org.fedlora4j.model.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * The weights of a LLaMA wherever they come from: a checkpoint of any format, or one that is changed on the way. It has
 * every parameter of its configuration ({@link ParameterNames#of}), with the role's shape. Safe for use by several
 * threads.
 */
public interface WeightSource {
    /** Every size that {@link #read} is asked for, and every place, is a multiple of so many elements, or the last. */
    int ALIGNMENT = 32;

    LlamaConfig config();

    /** F32, F16 or BF16: the type that a weight has, unless another is asked for. */
    ElementType type(String name);

    /**
     * Fills the buffer with a weight's elements, row-major and little-endian.
     *
     * @param name as in {@link ParameterNames}
     * @param begin the first element, a multiple of {@link #ALIGNMENT}
     * @param type F32, F16 or BF16; in the weight's own type the elements are its very bits, else they are rounded to
     *     the nearest, ties to even
     * @param out has room for whole elements, no more than are left of the weight; full afterwards
     * @throws org.fedlora4j.common.BadInputException if a value is beyond the type's range
     */
    void read(String name, long begin, ElementType type, ByteBuffer out) throws IOException;
}
