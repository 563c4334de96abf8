package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A SameDiff graph compiled for one set of shapes: steps in order, and a place for every intermediate value.
 *
 * <p>A plan has a forward and a backward half, run one after the other, maybe with other plans' halves between them.
 * What the forward half makes and the backward half reads lies in the <em>saved</em> memory; what one half alone needs
 * shares the <em>temporary</em> memory by liveness. {@link #bind} ties the plan to arrays and memory, once; a bound plan
 * allocates nothing when it runs. One plan may be bound many times (once per layer), but runs on one thread, since ND4J's
 * legacy ops hold state.
 */
public final class ExecutionPlan {
    static {
        NativeRuntime.ensure();
    }

    private final Program program;
    private final Map<String, Long> savedOffsets = new HashMap<>();
    /** The name of the buffer, in the temporary memory, that a value lies in. */
    private final Map<String, String> places = new HashMap<>();

    private final MemoryLayout temporary;
    private long savedBytes;

    ExecutionPlan(Program program) {
        this.program = program;
        List<Step> steps = program.steps();
        int forwardSteps = program.forward.size();
        Map<String, Integer> lastRead = new HashMap<>();
        for (int i = 0; i < steps.size(); i++) {
            for (String input : steps.get(i).inputs()) {
                lastRead.put(program.root(input), i);
            }
        }
        Map<String, MemoryLayout.Lifetime> lifetimes = new LinkedHashMap<>();
        for (int i = 0; i < steps.size(); i++) {
            for (String output : steps.get(i).outputs()) {
                if (program.outputs.contains(output)) {
                    continue;
                }
                long bytes = program.buffer(output).bytes();
                int last = lastRead.getOrDefault(output, i);
                if (i < forwardSteps && last >= forwardSteps) {
                    savedOffsets.put(output, savedBytes);
                    savedBytes += Arena.align(bytes);
                } else {
                    String place = place(steps.get(i), output, i, lastRead);
                    places.put(output, place);
                    lifetimes.merge(
                            place,
                            new MemoryLayout.Lifetime(place, bytes, i, last),
                            (made, replaced) -> made.until(replaced.last()));
                }
            }
        }
        temporary = new MemoryLayout(List.copyOf(lifetimes.values()));
    }

    /** Where a step's output goes: into the place of an input that nobody reads any more, if the step can; or its own. */
    private String place(Step step, String output, int at, Map<String, Integer> lastRead) {
        String input = step.replaceable();
        String root = input == null ? output : program.root(input);
        String place = places.get(root);
        if (place == null) {
            return output;
        }
        Program.Shaped replaced = program.buffer(root);
        Program.Shaped made = program.buffer(output);
        boolean alike = replaced.type() == made.type() && replaced.bytes() == made.bytes();
        boolean readHereAlone = Objects.equals(lastRead.get(root), at)
                && Collections.frequency(
                                step.inputs().stream().map(program::root).toList(), root)
                        == 1;
        return alike && readHereAlone ? place : output;
    }

    /**
     * How a graph is compiled.
     *
     * @param precision the type of what products multiply
     * @param narrowInputs which of the inputs are bound in that precision's type, where it has 16 bits
     * @param keepsAttention whether attention weights are kept for the backward half, and not computed again
     */
    public record Options(Precision precision, Set<String> narrowInputs, boolean keepsAttention) {}

    /**
     * Compiles a graph.
     *
     * @param inputs what {@link #bind} will supply: placeholders, variables and those constants that differ between
     *     bindings; other constants are folded
     * @param forwardOutputs variables that the forward half makes
     * @param backwardOutputs variables that the backward half makes; empty for a plan without one
     * @param substitutes variables to be read from another variable instead of being computed
     */
    public static ExecutionPlan compile(
            SameDiff graph,
            Set<String> inputs,
            List<String> forwardOutputs,
            List<String> backwardOutputs,
            Map<String, String> substitutes,
            Options options) {
        Program program = PlanCompiler.compile(
                graph, inputs, forwardOutputs, backwardOutputs, substitutes, options.keepsAttention);
        Sums.fuse(program);
        switch (options.precision) {
            case BF16 -> HalfPrecision.apply(program, options.narrowInputs);
            case F16 -> HalfProducts.apply(program, options.narrowInputs);
            case F32 -> {}
        }
        Gates.fuse(program);
        return new ExecutionPlan(program);
    }

    /** Bytes that a binding needs from its forward half to its backward half. */
    public long savedBytes() {
        return savedBytes;
    }

    /** Bytes that a half needs while it runs; bindings that do not run at the same time may share them. */
    public long temporaryBytes() {
        return temporary.bytes();
    }

    /** The steps of both halves. */
    public int steps() {
        return program.forward.size() + program.backward.size();
    }

    /**
     * Ties the plan to memory.
     *
     * @param arrays an array for every input and output, row-major and of the graph's shape
     * @param saved holds {@link #savedBytes} from {@code savedOffset} on
     * @param scratch holds {@link #temporaryBytes} from 0 on
     */
    public Bound bind(Map<String, INDArray> arrays, Arena saved, long savedOffset, Arena scratch) {
        Map<String, INDArray> bound = new HashMap<>(program.constants);
        bound.putAll(arrays);
        for (Step step : program.steps()) {
            for (String output : step.outputs()) {
                if (!program.outputs.contains(output)) {
                    Program.Shaped buffer = program.buffer(output);
                    Long offset = savedOffsets.get(output);
                    bound.put(
                            output,
                            offset != null
                                    ? saved.array(savedOffset + offset, buffer.type(), buffer.shape())
                                    : scratch.array(
                                            temporary.offset(places.getOrDefault(output, output)),
                                            buffer.type(),
                                            buffer.shape()));
                }
            }
        }
        return new Bound(bind(program.forward, bound), bind(program.backward, bound));
    }

    private List<Runnable> bind(List<Step> half, Map<String, INDArray> bound) {
        List<Runnable> runs = new ArrayList<>();
        for (Step step : half) {
            runs.add(step.bind(resolve(bound, step.inputs()), resolve(bound, step.outputs())));
        }
        return runs;
    }

    private INDArray[] resolve(Map<String, INDArray> bound, List<String> names) {
        return names.stream().map(name -> resolve(bound, name)).toArray(INDArray[]::new);
    }

    private INDArray resolve(Map<String, INDArray> bound, String name) {
        INDArray array = bound.get(program.root(name));
        if (array == null) {
            throw new IllegalArgumentException("no array for " + name);
        }
        Program.View view = program.views.get(name);
        return view == null ? array : array.reshape('c', view.shape());
    }

    /** A plan tied to arrays and memory. */
    public static final class Bound {
        private final List<Runnable> forward;
        private final List<Runnable> backward;

        private Bound(List<Runnable> forward, List<Runnable> backward) {
            this.forward = forward;
            this.backward = backward;
        }

        /** Makes the forward outputs from the inputs. */
        public void forward() {
            forward.forEach(Runnable::run);
        }

        /** Makes the backward outputs; the saved memory holds what the last {@link #forward} left. */
        public void backward() {
            backward.forEach(Runnable::run);
        }
    }
}
