package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.nd4j.autodiff.samediff.NameScope;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A named scope of a graph that a {@link Kernel} may stand for. The ops inside define what it computes; they run where
 * kernels are not to be had, and tests compare the kernel with them. What goes in and comes out has fixed names,
 * {@code <scope>/in_0}, {@code <scope>/out}, so that a compiler finds the scope, and its gradient, from the graph alone.
 */
public final class FusedScope implements AutoCloseable {
    private static final String OUTPUT = "/out";

    private final SameDiff graph;
    private final NameScope scope;
    private int inputs;

    /** Opens the scope of a kernel, inside the scope that is open now. */
    public FusedScope(SameDiff graph, Kernel kernel) {
        this.graph = graph;
        this.scope = graph.withNameScope(kernel.scope());
    }

    /** The next input as the scope sees it. All that the scope reads goes through here. */
    public SDVariable input(SDVariable outside) {
        return graph.identity("in_" + inputs++, outside);
    }

    /** The number that the kernel needs to know, by {@link Kernel#number its name}. */
    public SDVariable constant(String name, double value) {
        return graph.constant(graph.currentNameScope() + "/" + name, Nd4j.scalar((float) value));
    }

    /** What the scope makes. */
    public SDVariable output(SDVariable inside) {
        return graph.identity("out", inside);
    }

    @Override
    public void close() {
        scope.close();
    }

    /**
     * The kernels for a graph's scopes and, if it is a gradient's graph, for their gradients; none where there are no
     * kernels.
     *
     * @param resolve gives the variable to be read in a variable's place
     * @param keeps whether kernels that can keep something large for their gradients do so
     */
    static List<Step> steps(SameDiff graph, UnaryOperator<String> resolve, boolean keeps) {
        List<Step> steps = new ArrayList<>();
        if (!Kernel.available()) {
            return steps;
        }
        for (SDVariable variable : graph.variables()) {
            String name = variable.name();
            if (name.endsWith(OUTPUT)) {
                String scope = name.substring(0, name.length() - OUTPUT.length());
                Kernel.ofScope(scope.substring(scope.lastIndexOf('/') + 1))
                        .filter(Kernel::usable)
                        .ifPresent(kernel -> add(graph, scope, kernel, resolve, keeps, steps));
            }
        }
        return steps;
    }

    private static void add(
            SameDiff graph,
            String scope,
            Kernel kernel,
            UnaryOperator<String> resolve,
            boolean keeps,
            List<Step> steps) {
        List<String> inputs = new ArrayList<>();
        for (int i = 0; graph.hasVariable(scope + "/in_" + i); i++) {
            inputs.add(scope + "/in_" + i);
        }
        String constant = kernel.number();
        float number = constant == null
                ? 0
                : graph.getVariable(scope + "/" + constant).getArr().getFloat(0);
        String output = scope + OUTPUT;
        SDVariable gradient = graph.getGradForVariable(output);
        boolean kept = keeps && gradient != null && kernel.canKeep();
        List<String> outputs = kept ? List.of(output, scope + "/kept") : List.of(output);
        steps.add(new KernelStep(kernel, false, false, number, inputs, outputs));
        if (gradient == null) {
            return;
        }
        List<String> read = new ArrayList<>(kernel.backwardInputs(inputs, output, resolve.apply(gradient.name())));
        if (kept) {
            read.add(scope + "/kept");
        }
        List<String> made = new ArrayList<>();
        for (int i = 0; i < kernel.gradients(); i++) {
            made.add(graph.getGradForVariable(inputs.get(i)).name());
        }
        for (int i = 0; i < kernel.backwardSpaces(); i++) {
            made.add(scope + "/space_" + i);
        }
        steps.add(new KernelStep(kernel, true, false, number, read, made));
    }
}
