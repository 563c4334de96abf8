package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A graph as steps: a forward and a backward half, and what the variables between them are. Passes ({@link Sums},
 * {@link HalfPrecision}) rewrite it before it gets its memory.
 */
final class Program {
    /** A buffer's type and shape. */
    record Shaped(DataType type, long[] shape) {
        long bytes() {
            long length = 1;
            for (long size : shape) {
                length *= size;
            }
            return length * type.width();
        }
    }

    /** A row-major array seen with another shape. */
    record View(String root, long[] shape) {}

    final List<Step> forward = new ArrayList<>();
    final List<Step> backward = new ArrayList<>();
    /** What the steps write. */
    final Map<String, Shaped> buffers = new LinkedHashMap<>();
    /** Names for what another variable holds. */
    final Map<String, View> views = new HashMap<>();

    /** What is supplied from outside. */
    final Map<String, Shaped> inputs = new HashMap<>();

    final Map<String, INDArray> constants = new HashMap<>();
    /** Variables that somebody else reads: their buffers are supplied from outside. */
    final Set<String> outputs;

    Program(Set<String> outputs) {
        this.outputs = outputs;
    }

    /** The variable that holds what {@code name} shows. */
    String root(String name) {
        View view = views.get(name);
        return view == null ? name : view.root();
    }

    /** How many steps' inputs show what a variable holds, by the variable. */
    Map<String, Integer> reads() {
        Map<String, Integer> reads = new HashMap<>();
        Stream.of(forward, backward)
                .flatMap(List::stream)
                .forEach(step -> step.inputs().forEach(input -> reads.merge(root(input), 1, Integer::sum)));
        return reads;
    }

    /** All steps in order. */
    List<Step> steps() {
        return Stream.of(forward, backward).flatMap(List::stream).toList();
    }

    Shaped buffer(String name) {
        Shaped buffer = buffers.get(name);
        if (buffer == null) {
            throw new IllegalStateException("no buffer for " + name);
        }
        return buffer;
    }

    /** The type and shape of a buffer or an input. */
    Shaped shaped(String name) {
        View view = views.get(name);
        Shaped root = buffers.getOrDefault(root(name), inputs.get(root(name)));
        if (root == null) {
            INDArray constant = constants.get(root(name));
            if (constant == null) {
                throw new IllegalStateException("nothing is known of " + name);
            }
            root = new Shaped(constant.dataType(), constant.shape());
        }
        return view == null ? root : new Shaped(root.type, view.shape);
    }
}
