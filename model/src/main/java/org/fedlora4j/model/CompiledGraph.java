package org.fedlora4j.model;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.fedlora4j.model.exec.ExecutionPlan;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.Precision;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One of {@link LlamaGraph}'s graphs compiled, with its gradient where one is wanted.
 *
 * @param gradients the plan's output that is the gradient of a variable, by the variable's name
 * @param placeholders shapes of the graph's placeholders, by name
 */
record CompiledGraph(ExecutionPlan plan, Map<String, String> gradients, Map<String, long[]> placeholders) {
    /** Inputs of a layer's products that are bound in 16 bits in such a precision. */
    private static final Set<String> LAYER_WEIGHTS = Set.copyOf(LlamaGraph.PROJECTIONS);

    /** The same for the head. */
    private static final Set<String> HEAD_WEIGHTS = Set.of(LlamaGraph.HEAD);

    /** Compiles a graph without a gradient. */
    static CompiledGraph forward(SameDiff graph, List<String> outputs, Precision precision) {
        ExecutionPlan plan = ExecutionPlan.compile(
                graph, inputs(graph), outputs, List.of(), Map.of(), options(graph, precision, false));
        return new CompiledGraph(plan, Map.of(), placeholders(graph));
    }

    /**
     * Compiles a graph and its gradients by {@code variables}.
     *
     * @param keepsAttention see {@link ExecutionPlan.Options}
     */
    static CompiledGraph withGradient(
            SameDiff graph, List<String> variables, Precision precision, boolean keepsAttention) {
        differentiate(graph, variables);
        SameDiff differentiated = graph.getFunction("grad");
        Map<String, String> gradients = new LinkedHashMap<>();
        for (String variable : variables) {
            gradients.put(variable, gradientName(differentiated, variable));
        }
        ExecutionPlan plan = ExecutionPlan.compile(
                differentiated,
                inputs(graph),
                List.of(LlamaGraph.OUTPUT),
                List.copyOf(gradients.values()),
                // The loss is sum(y · gradient of y), so this needs no computing.
                Map.of(gradientName(differentiated, LlamaGraph.OUTPUT), LlamaGraph.OUTPUT_GRADIENT),
                options(graph, precision, keepsAttention));
        return new CompiledGraph(plan, gradients, placeholders(graph));
    }

    /** The plan tied to arrays, with memory of its own. */
    ExecutionPlan.Bound bind(Map<String, INDArray> arrays, NativeMemory memory) {
        return plan.bind(arrays, memory.arena(plan.savedBytes()), 0, memory.arena(plan.temporaryBytes()));
    }

    private static ExecutionPlan.Options options(SameDiff graph, Precision precision, boolean keepsAttention) {
        return new ExecutionPlan.Options(
                precision, graph.hasVariable(LlamaGraph.HEAD) ? HEAD_WEIGHTS : LAYER_WEIGHTS, keepsAttention);
    }

    private static Map<String, long[]> placeholders(SameDiff graph) {
        Map<String, long[]> placeholders = new LinkedHashMap<>();
        for (SDVariable variable : graph.variables()) {
            if (variable.isPlaceHolder()) {
                placeholders.put(variable.name(), variable.placeholderShape());
            }
        }
        return placeholders;
    }

    private static String gradientName(SameDiff graph, String variable) {
        SDVariable gradient = graph.getGradForVariable(variable);
        return Objects.requireNonNull(gradient, () -> "the graph has no gradient by " + variable)
                .name();
    }

    /** What differs between bindings: all but the constants that the graph made itself. */
    private static Set<String> inputs(SameDiff graph) {
        Set<String> inputs = new HashSet<>();
        for (SDVariable variable : graph.variables()) {
            VariableType type = variable.getVariableType();
            if (type == VariableType.PLACEHOLDER || type == VariableType.VARIABLE) {
                inputs.add(variable.name());
            }
        }
        return inputs;
    }

    /** createGradFunction prints a line per op to standard output, which is the user's. */
    private static void differentiate(SameDiff graph, List<String> variables) {
        PrintStream standardOutput = System.out;
        System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        try {
            graph.createGradFunction(new ArrayList<>(variables).toArray(String[]::new));
        } finally {
            System.setOut(standardOutput);
        }
    }
}
