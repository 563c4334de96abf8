package org.fedlora4j.converter.gguf;

import java.util.List;

/**
 * A tensor's entry in the header.
 *
 * @param shape as in Hugging Face's checkpoints, the last dimension contiguous; the file has it the other way round
 * @param begin the first byte, counted from the file's
 * @param end the byte after the last
 */
public record GgufTensor(String name, GgufType type, List<Long> shape, long begin, long end) {
    public GgufTensor {
        shape = List.copyOf(shape);
    }

    public long[] sizes() {
        return shape.stream().mapToLong(Long::longValue).toArray();
    }
}
