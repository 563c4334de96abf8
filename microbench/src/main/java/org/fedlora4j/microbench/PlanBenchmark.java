package org.fedlora4j.microbench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.fedlora4j.kernels.CastKernel;
import org.fedlora4j.model.exec.ExecutionPlan;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.NativeRuntime;
import org.fedlora4j.model.exec.Precision;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Both halves of an {@link Op}'s plan, as a training step would run them, compiled with kernels and without. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init")
public class PlanBenchmark {
    static {
        NativeRuntime.ensure();
    }

    @Param
    public Op op;

    @Param({"KERNEL", "BF16", "OPS"})
    public By by;

    private final NativeMemory memory = new NativeMemory();
    private ExecutionPlan.Bound plan;

    @Setup
    public void compile() {
        System.setProperty("fedlora.kernels", by == By.OPS ? "off" : "on");
        SameDiff graph = SameDiff.create();
        Op.Part part = op.build(graph);
        SDVariable y = part.output();
        long[] shape = part.differentiable().get(0).placeholderShape();
        SDVariable dy = graph.placeHolder(Op.GRADIENT, DataType.FLOAT, shape);
        graph.setLossVariables(y.mul(dy).sum().name());
        graph.createGradFunction(
                part.differentiable().stream().map(SDVariable::name).toArray(String[]::new));
        SameDiff gradient = Objects.requireNonNull(graph.getFunction("grad"));

        Map<String, INDArray> arrays = new HashMap<>();
        arrays.put(y.name(), memory.floats(shape));
        Set<String> bf16 = by == By.BF16 ? op.bf16Inputs() : Set.of();
        for (String input : graph.inputs()) {
            INDArray floats = memory.floats(graph.getVariable(input).placeholderShape());
            op.fill(input, floats);
            arrays.put(input, bf16.contains(input) ? rounded(floats) : floats);
        }
        List<String> gradients = new ArrayList<>();
        for (SDVariable input : part.differentiable()) {
            String name = withoutCopy(
                    gradient, gradient.getGradForVariable(input.name()).name());
            arrays.put(name, memory.floats(input.placeholderShape()));
            gradients.add(name);
        }
        Map<String, String> substitutes =
                Map.of(gradient.getGradForVariable(y.name()).name(), dy.name());
        ExecutionPlan compiled = ExecutionPlan.compile(
                gradient,
                Set.copyOf(graph.inputs()),
                List.of(y.name()),
                gradients,
                substitutes,
                new ExecutionPlan.Options(by == By.BF16 ? Precision.BF16 : Precision.F32, bf16, true));
        plan = compiled.bind(arrays, memory.arena(compiled.savedBytes()), 0, memory.arena(compiled.temporaryBytes()));
        plan.forward();
    }

    private INDArray rounded(INDArray floats) {
        INDArray rounded = memory.array(DataType.BFLOAT16, floats.shape());
        CastKernel.run(NativeArrays.numbers(floats), NativeArrays.numbers(rounded));
        return rounded;
    }

    /** What an identity op at the end of a scope's gradient only copies. */
    private static String withoutCopy(SameDiff graph, String name) {
        DifferentialFunction op = graph.getVariableOutputOp(name);
        return op.opName().equals("identity") ? op.arg().name() : name;
    }

    @Benchmark
    public void forward() {
        plan.forward();
    }

    @Benchmark
    public void backward() {
        plan.backward();
    }

    @TearDown
    public void free() {
        memory.close();
    }
}
