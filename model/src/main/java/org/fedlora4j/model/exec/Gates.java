package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Makes a gated activation and the two products that it reads one step, where these are of frozen weights alone. If only
 * the gradient reads the products again and what it multiplies is bfloat16, they are kept in bfloat16.
 */
final class Gates {
    private final Program program;
    private final Map<String, Step> makers = new HashMap<>();

    private Gates(Program program) {
        this.program = program;
        program.forward.forEach(step -> step.outputs().forEach(output -> makers.put(output, step)));
    }

    static void fuse(Program program) {
        Gates gates = new Gates(program);
        List<Step> fused = new ArrayList<>();
        Set<Step> replaced = new HashSet<>();
        for (Step step : program.forward) {
            GatedStep gated = step instanceof KernelStep kernel ? gates.gated(kernel) : null;
            if (gated != null) {
                step.inputs().forEach(input -> replaced.add(Objects.requireNonNull(gates.maker(input))));
            }
            fused.add(gated == null ? step : gated);
        }
        program.forward.clear();
        fused.stream().filter(step -> !replaced.contains(step)).forEach(program.forward::add);
    }

    private @Nullable Step maker(String name) {
        return makers.get(program.root(name));
    }

    private @Nullable GatedStep gated(KernelStep step) {
        if (step.kernel() != Kernel.SWIGLU) {
            return null;
        }
        String gateName = program.root(step.inputs().get(0));
        String upName = program.root(step.inputs().get(1));
        Step gate = makers.get(gateName);
        Step up = makers.get(upName);
        ProductStep gateProduct = product(gate);
        ProductStep upProduct = product(up);
        String low = gate instanceof WideProductStep wide ? wide.low() : null;
        if (gateProduct == null
                || upProduct == null
                || !gateProduct.left().equals(upProduct.left())
                || !Objects.equals(low, up instanceof WideProductStep wide ? wide.low() : null)
                || !isReadBy(step, gateName)
                || !isReadBy(step, upName)) {
            return null;
        }
        List<String> outputs = new ArrayList<>(step.outputs());
        List<Step> readers = program.backward.stream()
                .filter(reader -> reader.inputs().stream()
                        .map(program::root)
                        .anyMatch(input -> input.equals(gateName) || input.equals(upName)))
                .toList();
        if (!readers.isEmpty()) {
            outputs.addAll(List.of(gateName, upName));
        }
        if (program.shaped(gateProduct.left()).type() == DataType.BFLOAT16
                && readers.stream().allMatch(KernelStep.class::isInstance)) {
            for (String name : List.of(gateName, upName)) {
                program.buffers.put(
                        name,
                        new Program.Shaped(
                                DataType.BFLOAT16, program.buffer(name).shape()));
            }
        }
        return new GatedStep(gateProduct.left(), low, gateProduct.right(), upProduct.right(), outputs);
    }

    /** The product that a step is, if nothing else is in it. */
    private static @Nullable ProductStep product(@Nullable Step step) {
        ProductStep product = step instanceof WideProductStep wide
                ? wide.product()
                : step instanceof ProductStep plain ? plain : null;
        return product != null
                        && product.plus() == null
                        && product.factor() == 1
                        && !product.leftTransposed()
                        && product.rightTransposed()
                ? product
                : null;
    }

    /** Whether a step is the only one of the forward half that reads a value, and nobody outside does. */
    private boolean isReadBy(Step reader, String name) {
        return !program.outputs.contains(name)
                && program.forward.stream()
                        .filter(step -> step != reader)
                        .flatMap(step -> step.inputs().stream())
                        .noneMatch(input -> program.root(input).equals(name));
    }
}
