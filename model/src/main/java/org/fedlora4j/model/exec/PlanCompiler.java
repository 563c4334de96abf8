package org.fedlora4j.model.exec;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Turns a loop-free SameDiff graph with static shapes into a {@link Program}: topological order, folding of what depends on
 * constants alone, rewriting ({@link Rewrites}), aliasing of reshapes, and the shape of every buffer. Nothing else is
 * computed: shapes come from the ops' own shape functions, on arrays whose memory is never touched.
 */
final class PlanCompiler {
    private record Visit(Step step, boolean expanded) {}

    private static final Set<String> SHAPE_OPS = Set.of("shape_of", "size", "size_at", "rank");
    private static final Set<String> VIEW_OPS = Set.of("reshape", "expand_dims", "squeeze");
    private static final Set<String> CONTROL_FLOW =
            Set.of("switch", "merge", "enter", "exit", "next_iteration", "loop_cond", "invoke", "create_view");

    private final SameDiff graph;
    private final Map<String, String> substitutes;
    /** The step that makes a variable. */
    private final Map<String, Step> producers = new HashMap<>();

    private final Map<String, INDArray> values = new HashMap<>();
    private final Set<String> needed;
    /** Of stand-ins for the arrays that the plan will be bound to. The system gives pages that are touched, and none is. */
    private final NativeMemory memory = new NativeMemory();

    private final Program program;

    /** Compiles a graph; see {@link ExecutionPlan#compile}. */
    static Program compile(
            SameDiff graph,
            Set<String> inputs,
            List<String> forwardOutputs,
            List<String> backwardOutputs,
            Map<String, String> substitutes,
            boolean keepsAttention) {
        return new PlanCompiler(graph, inputs, forwardOutputs, backwardOutputs, substitutes, keepsAttention).program;
    }

    /**
     * @param inputs what is bound later: placeholders, variables and those constants that change from layer to layer
     * @param substitutes variables to be read from another variable, by name
     * @param keepsAttention whether kernels keep attention weights for their gradients
     */
    private PlanCompiler(
            SameDiff graph,
            Set<String> inputs,
            List<String> forwardOutputs,
            List<String> backwardOutputs,
            Map<String, String> substitutes,
            boolean keepsAttention) {
        this.graph = graph;
        this.substitutes = substitutes;
        Set<String> outputs = new HashSet<>(forwardOutputs);
        outputs.addAll(backwardOutputs);
        program = new Program(outputs);
        for (SDVariable variable : graph.variables()) {
            boolean input = inputs.contains(variable.name());
            if (variable.getVariableType() == VariableType.PLACEHOLDER && input) {
                values.put(variable.name(), memory.array(variable.dataType(), variable.placeholderShape()));
                input(variable.name());
            } else if (variable.getVariableType() != VariableType.ARRAY && variable.getArr() != null) {
                values.put(variable.name(), variable.getArr());
                if (input) {
                    input(variable.name());
                } else {
                    program.constants.put(variable.name(), variable.getArr());
                }
            }
        }
        for (SameDiffOp node : graph.getOps().values()) {
            List<String> read = node.getInputsToOp() == null ? List.of() : node.getInputsToOp();
            List<String> inputsOfOp = read.stream().map(this::resolve).toList();
            makes(new OpStep(node.getOp(), inputsOfOp, node.getOutputsOfOp()));
        }
        FusedScope.steps(graph, this::resolve, keepsAttention).forEach(this::makes);
        Set<Step> done = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Step> forward = order(forwardOutputs, done);
        List<Step> backward = order(backwardOutputs, done);
        needed = new HashSet<>(outputs);
        done.forEach(step -> needed.addAll(step.inputs()));
        forward.forEach(step -> compile(step, program.forward));
        backward.forEach(step -> compile(step, program.backward));
        memory.close();
    }

    private void input(String name) {
        INDArray array = value(name);
        program.inputs.put(name, new Program.Shaped(array.dataType(), array.shape()));
    }

    /** What a step makes is made by it alone: a kernel takes the place of the ops it stands for. */
    private void makes(Step step) {
        step.outputs().forEach(output -> producers.put(output, step));
    }

    /** The steps that {@code targets} need and that are not {@code done}, each after its inputs' steps. */
    private List<Step> order(Collection<String> targets, Set<Step> done) {
        List<Step> order = new ArrayList<>();
        for (String target : targets) {
            Deque<Visit> stack = new ArrayDeque<>();
            pushProducer(resolve(target), stack);
            while (!stack.isEmpty()) {
                Visit visit = stack.pop();
                if (done.contains(visit.step)) {
                    continue;
                }
                if (visit.expanded) {
                    done.add(visit.step);
                    order.add(visit.step);
                    continue;
                }
                stack.push(new Visit(visit.step, true));
                for (String input : visit.step.inputs()) {
                    pushProducer(input, stack);
                }
            }
        }
        return order;
    }

    private void pushProducer(String variable, Deque<Visit> stack) {
        Step producer = producers.get(variable);
        if (producer != null) {
            stack.push(new Visit(producer, false));
        }
    }

    private String resolve(String name) {
        return substitutes.getOrDefault(name, name);
    }

    private void compile(Step step, List<Step> half) {
        if (CONTROL_FLOW.contains(step.kind())) {
            throw new IllegalArgumentException("a plan has no control flow, but the graph holds " + step.kind());
        }
        Rewrites.apply(step, needed::contains, name -> value(name).shape()).forEach(cheaper -> add(cheaper, half));
    }

    private void add(Step step, List<Step> half) {
        INDArray[] arguments = step.inputs().stream().map(this::value).toArray(INDArray[]::new);
        if (alias(step, arguments)) {
            return;
        }
        boolean constant =
                SHAPE_OPS.contains(step.kind()) || program.constants.keySet().containsAll(step.inputs());
        List<long[]> shapes = step.outputShapes(arguments);
        INDArray[] results = new INDArray[shapes.size()];
        for (int i = 0; i < results.length; i++) {
            String output = step.outputs().get(i);
            results[i] = constant
                    ? Nd4j.createUninitialized(type(output), shapes.get(i))
                    : memory.array(type(output), shapes.get(i));
            values.put(output, results[i]);
        }
        if (constant) {
            step.bind(arguments, results).run();
            step.outputs().forEach(output -> program.constants.put(output, value(output)));
            return;
        }
        for (String output : step.outputs()) {
            INDArray array = value(output);
            program.buffers.put(output, new Program.Shaped(array.dataType(), array.shape()));
        }
        half.add(step);
    }

    /** The shape function's type can be wrong (deeplearning4j#6872); the graph's is right. */
    private DataType type(String output) {
        return graph.hasVariable(output) ? graph.getVariable(output).dataType() : DataType.FLOAT;
    }

    /** Whether the step's outputs are just its first input under another name or shape, and so need no step. */
    private boolean alias(Step step, INDArray[] arguments) {
        if (step.outputs().stream().anyMatch(program.outputs::contains)
                || program.constants.containsKey(step.inputs().get(0))) {
            return false;
        }
        String kind = step.kind();
        if (kind.equals("add_bp") && passesGradientOn(step, arguments)) {
            step.outputs().forEach(output -> view(output, step.inputs().get(2), arguments[2]));
            return true;
        }
        if (kind.equals("identity")) {
            view(step.outputs().get(0), step.inputs().get(0), arguments[0]);
            return true;
        }
        if (VIEW_OPS.contains(kind)) {
            long[] shape = step.outputShapes(arguments).get(0);
            view(step.outputs().get(0), step.inputs().get(0), arguments[0].reshape('c', shape));
            return true;
        }
        return false;
    }

    /** Whether a sum's summands that want a gradient were not broadcast; theirs is then the sum's own. */
    private boolean passesGradientOn(Step step, INDArray[] arguments) {
        for (int i = 0; i < 2; i++) {
            if (needed.contains(step.outputs().get(i)) && !arguments[i].equalShapes(arguments[2])) {
                return false;
            }
        }
        return true;
    }

    private void view(String name, String of, INDArray value) {
        program.views.put(name, new Program.View(program.root(of), value.shape()));
        values.put(name, value);
    }

    private INDArray value(String name) {
        INDArray value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("variable " + name + " has no value: it is no declared input");
        }
        return value;
    }
}
