package org.fedlora4j.model.exec;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
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
 * Turns a loop-free SameDiff graph with static shapes into steps: topological order, folding of what depends on constants
 * alone, rewriting ({@link Rewrites}), aliasing of reshapes, and the shape of every buffer. Shapes come from really
 * running each op once, so that ops whose inputs are shapes see true ones.
 */
final class PlanCompiler {
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

    private record Visit(Step step, boolean expanded) {}

    private static final Set<String> SHAPE_OPS = Set.of("shape_of", "size", "size_at", "rank");
    private static final Set<String> VIEW_OPS = Set.of("reshape", "expand_dims", "squeeze");
    private static final Set<String> CONTROL_FLOW =
            Set.of("switch", "merge", "enter", "exit", "next_iteration", "loop_cond", "invoke", "create_view");

    private final SameDiff graph;
    private final Map<String, String> substitutes;
    private final Set<String> outputs;
    /** The step that makes a variable. */
    private final Map<String, Step> producers = new HashMap<>();

    private final Map<String, INDArray> values = new HashMap<>();
    private final Set<String> needed;
    /** What running each op once has allocated. */
    private final Map<String, INDArray> traced = new HashMap<>();

    final List<Step> steps = new ArrayList<>();
    final Map<String, INDArray> constants = new HashMap<>();
    final Map<String, Shaped> buffers = new LinkedHashMap<>();
    final Map<String, View> views = new HashMap<>();
    /** Steps before this index make the forward outputs; the rest make the backward outputs. */
    final int forwardSteps;

    /**
     * @param inputs what is bound later: placeholders, variables and those constants that change from layer to layer
     * @param substitutes variables to be read from another variable, by name
     */
    PlanCompiler(
            SameDiff graph,
            Set<String> inputs,
            List<String> forwardOutputs,
            List<String> backwardOutputs,
            Map<String, String> substitutes) {
        this.graph = graph;
        this.substitutes = substitutes;
        this.outputs = new HashSet<>(forwardOutputs);
        outputs.addAll(backwardOutputs);
        for (SDVariable variable : graph.variables()) {
            boolean input = inputs.contains(variable.name());
            if (variable.getVariableType() == VariableType.PLACEHOLDER && input) {
                INDArray zeros = Nd4j.zeros(variable.dataType(), variable.placeholderShape());
                values.put(variable.name(), zeros);
                traced.put(variable.name(), zeros);
            } else if (variable.getVariableType() != VariableType.ARRAY && variable.getArr() != null) {
                values.put(variable.name(), variable.getArr());
                if (!input) {
                    constants.put(variable.name(), variable.getArr());
                }
            }
        }
        for (SameDiffOp node : graph.getOps().values()) {
            List<String> read = node.getInputsToOp() == null ? List.of() : node.getInputsToOp();
            List<String> inputsOfOp = read.stream().map(this::resolve).toList();
            makes(new OpStep(node.getOp(), inputsOfOp, node.getOutputsOfOp()));
        }
        FusedScope.steps(graph, this::resolve).forEach(this::makes);
        Set<Step> done = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Step> forward = order(forwardOutputs, done);
        List<Step> backward = order(backwardOutputs, done);
        needed = new HashSet<>(outputs);
        done.forEach(step -> needed.addAll(step.inputs()));
        forward.forEach(this::compile);
        forwardSteps = steps.size();
        backward.forEach(this::compile);
        // Not left to the garbage collector, which does not see how much native memory hangs on these.
        traced.keySet().removeAll(constants.keySet());
        traced.values().forEach(INDArray::close);
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

    private void compile(Step step) {
        if (CONTROL_FLOW.contains(step.kind())) {
            throw new IllegalArgumentException("a plan has no control flow, but the graph holds " + step.kind());
        }
        Rewrites.apply(step, needed::contains, name -> value(name).shape()).forEach(this::add);
    }

    private void add(Step step) {
        INDArray[] arguments = step.inputs().stream().map(this::value).toArray(INDArray[]::new);
        if (alias(step, arguments)) {
            return;
        }
        List<long[]> shapes = step.outputShapes(arguments);
        INDArray[] results = new INDArray[shapes.size()];
        for (int i = 0; i < results.length; i++) {
            String output = step.outputs().get(i);
            // The shape function's type can be wrong (deeplearning4j#6872); the graph's is right.
            results[i] = Nd4j.createUninitialized(graph.getVariable(output).dataType(), shapes.get(i), 'c');
            values.put(output, results[i]);
            traced.put(output, results[i]);
        }
        step.bind(arguments, results).run();
        if (SHAPE_OPS.contains(step.kind()) || constants.keySet().containsAll(step.inputs())) {
            step.outputs().forEach(output -> constants.put(output, value(output)));
            return;
        }
        for (String output : step.outputs()) {
            INDArray array = value(output);
            buffers.put(output, new Shaped(array.dataType(), array.shape()));
        }
        steps.add(step);
    }

    /** Whether the step's outputs are just its first input under another name or shape, and so need no step. */
    private boolean alias(Step step, INDArray[] arguments) {
        if (step.outputs().stream().anyMatch(outputs::contains)
                || constants.containsKey(step.inputs().get(0))) {
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
        View outer = views.get(of);
        views.put(name, new View(outer == null ? of : outer.root, value.shape()));
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
