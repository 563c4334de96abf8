package org.fedlora4j.model.exec;

import java.util.List;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.AddOp;

/** Programs put together by hand; all is float32. */
final class Programs {
    static {
        NativeRuntime.ensure();
    }

    private Programs() {}

    static Program of(String... outputs) {
        return new Program(Set.of(outputs));
    }

    static void input(Program program, String name, long... shape) {
        program.inputs.put(name, new Program.Shaped(DataType.FLOAT, shape));
    }

    /** Adds a step to a half, all of whose outputs have a shape. */
    static void step(Program program, List<Step> half, Step step, long... shape) {
        half.add(step);
        step.outputs().forEach(output -> program.buffers.put(output, new Program.Shaped(DataType.FLOAT, shape)));
    }

    static ProductStep product(String left, String right, String output) {
        return new ProductStep(left, right, false, true, 1, null, output);
    }

    static Step sum(String left, String right, String output) {
        return new OpStep(new AddOp(), List.of(left, right), List.of(output));
    }

    static Step multiple(String of, double factor, String output) {
        SameDiff graph = SameDiff.create();
        graph.placeHolder(of, DataType.FLOAT, 1).mul(output, factor);
        return new OpStep(graph.getVariableOutputOp(output), List.of(of), List.of(output));
    }

    static KernelStep swiGlu(String gate, String up, String output) {
        return new KernelStep(Kernel.SWIGLU, false, false, 0, List.of(gate, up), List.of(output));
    }

    static KernelStep norm(String x, String weight, String output) {
        return new KernelStep(Kernel.RMS_NORM, false, false, 1e-5f, List.of(x, weight), List.of(output));
    }

    static KernelStep rope(String x, String output) {
        List<String> inputs = List.of(x, "cosines", "sines", "rotateHalf");
        return new KernelStep(Kernel.ROPE, false, false, 0, inputs, List.of(output));
    }

    static KernelStep attention(String queries, String keys, String values, String output) {
        List<String> inputs = List.of(queries, keys, values, "mask");
        return new KernelStep(Kernel.ATTENTION, false, false, 64, inputs, List.of(output));
    }

    /** The gradient of a norm. */
    static KernelStep normGradient(String x, String weight, String gradient, String output) {
        return new KernelStep(Kernel.RMS_NORM, true, false, 1e-5f, List.of(x, weight, gradient), List.of(output));
    }
}
