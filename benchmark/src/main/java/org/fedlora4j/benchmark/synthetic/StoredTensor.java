package org.fedlora4j.benchmark.synthetic;

import java.util.Arrays;
import java.util.List;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.SafetensorsWriter;

/**
 * A tensor to be written.
 *
 * @param shape row-major
 * @param source writes its elements
 */
record StoredTensor(String name, ElementType type, List<Long> shape, SafetensorsWriter.Source source) {
    StoredTensor {
        shape = List.copyOf(shape);
    }

    static StoredTensor of(String name, ElementType type, long[] shape, SafetensorsWriter.Source source) {
        return new StoredTensor(name, type, Arrays.stream(shape).boxed().toList(), source);
    }

    long elements() {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }

    long bytes() {
        return elements() * type.bytes();
    }
}
