package org.fedlora4j.lora;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.fedlora4j.kernels.LowRank;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.nn.Projection;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LoRA matrices as variables of a model's graph. A matrix of which a part is trained alone is there as magnitude and free
 * direction, else as it is; only the trained variables have gradients.
 */
public final class TrainableAdapter implements Adapter, AutoCloseable {
    private final LoraConfig config;
    private final MagnitudeAxis axis;
    private final Set<Part> parts;
    private final Set<Part> trained;
    private final List<String> modules;
    private final Map<String, ModuleShape> shapes = new HashMap<>();
    private final List<Map<String, INDArray>> variables = new ArrayList<>();
    private final List<Map<String, INDArray>> gradients = new ArrayList<>();
    private final NativeMemory memory = new NativeMemory();
    private long noiseSeed;

    /**
     * An adapter whose values are loaded later.
     *
     * @param trained what gets gradients; empty for evaluation
     * @param axis along which magnitudes are taken
     */
    public TrainableAdapter(LlamaConfig model, LoraConfig config, Set<Part> trained, MagnitudeAxis axis) {
        this.config = config;
        this.axis = axis;
        this.trained = trained.isEmpty() ? EnumSet.noneOf(Part.class) : EnumSet.copyOf(trained);
        this.parts = EnumSet.noneOf(Part.class);
        for (Part matrix : List.of(Part.A, Part.B)) {
            boolean whole = this.trained.contains(matrix) || !matrix.overlapsAny(this.trained);
            Collections.addAll(
                    parts, whole ? new Part[] {matrix} : new Part[] {matrix.direction(), matrix.magnitude()});
        }
        this.modules = config.modules(model.layers());
        for (int layer = 0; layer < model.layers(); layer++) {
            variables.add(new HashMap<>());
            gradients.add(new HashMap<>());
        }
        for (String module : modules) {
            shapes.put(module, ModuleShape.of(model, module));
            for (Part part : parts) {
                long[] shape = shape(part, module);
                variables.get(layer(module)).put(variable(module, part), memory.floats(shape));
                if (this.trained.contains(part)) {
                    gradients.get(layer(module)).put(variable(module, part), memory.floats(shape));
                }
            }
        }
    }

    /** The paths of the adapted modules, in graph order. */
    public List<String> modules() {
        return modules;
    }

    /** Takes an adapter's values, decomposed where this needs parts. */
    public void load(AdapterState state) {
        for (String module : modules) {
            load(Part.A, module, state.pair(module).a());
            load(Part.B, module, state.pair(module).b());
        }
    }

    private void load(Part part, String module, Matrix matrix) {
        if (parts.contains(part)) {
            write(part, module, matrix);
        } else {
            Decomposition.MagnitudeAndDirection split = Decomposition.decompose(matrix, axis);
            write(part.direction(), module, split.direction());
            write(part.magnitude(), module, split.magnitude());
        }
    }

    /** The value of a variable; a direction is free, not of unit length. */
    public Matrix read(Part part, String module) {
        return read(variables, part, module);
    }

    /** The gradient that the last training step left. */
    public Matrix gradient(Part part, String module) {
        return read(gradients, part, module);
    }

    public void write(Part part, String module, Matrix value) {
        INDArray array = array(variables, part, module);
        if (array.size(0) != value.rows() || array.size(1) != value.columns()) {
            throw new IllegalArgumentException(part + " of " + module + ": " + value.shape() + ", wanted "
                    + array.size(0) + " x " + array.size(1));
        }
        NativeArrays.write(value.values(), array);
    }

    /** Sets what dropout masks are drawn from; each training step wants another. */
    public void noiseSeed(long seed) {
        noiseSeed = seed;
    }

    private Matrix read(List<Map<String, INDArray>> arrays, Part part, String module) {
        INDArray array = array(arrays, part, module);
        Matrix matrix = Matrix.zeros(Math.toIntExact(array.size(0)), Math.toIntExact(array.size(1)));
        NativeArrays.read(array, matrix.values());
        return matrix;
    }

    private static INDArray array(List<Map<String, INDArray>> arrays, Part part, String module) {
        return AdapterState.get(arrays.get(layer(module)), variable(module, part));
    }

    @Override
    public Object layout(int layer) {
        record Layout(String module, int rank, double scale) {}
        return config.targets().stream()
                .map(target -> LoraConfig.path(layer, target))
                .map(module -> new Layout(inLayer(module), config.rank(module), config.scale(module)))
                .toList();
    }

    @Override
    public Projection adapt(SameDiff graph, int layer, String module, Projection frozen, int rows, boolean training) {
        String path = "model.layers." + layer + "." + module;
        ModuleShape shape = shapes.get(path);
        if (shape == null) {
            return frozen;
        }
        SDVariable dropout = training && config.dropout() > 0
                ? graph.placeHolder(module + ".lora_dropout", DataType.FLOAT, rows, shape.in())
                : null;
        return new LoraProjection(
                frozen, matrix(graph, Part.A, path), matrix(graph, Part.B, path), config.scale(path), dropout);
    }

    private SDVariable matrix(SameDiff graph, Part part, String module) {
        if (parts.contains(part)) {
            return variable(graph, part, module);
        }
        SDVariable direction = variable(graph, part.direction(), module);
        return LoraProjection.compose(graph, direction, variable(graph, part.magnitude(), module), axis);
    }

    private SDVariable variable(SameDiff graph, Part part, String module) {
        return graph.var(variable(module, part), array(variables, part, module));
    }

    @Override
    public Optional<Map<String, LowRank>> additions(int layer) {
        Map<String, LowRank> additions = new HashMap<>();
        for (String module : modules) {
            if (layer(module) == layer) {
                float[] b = matrix(Part.B, module).transpose().values();
                for (int i = 0; i < b.length; i++) {
                    b[i] *= (float) config.scale(module);
                }
                additions.put(
                        inLayer(module), new LowRank(matrix(Part.A, module).values(), b, config.rank(module)));
            }
        }
        return Optional.of(additions);
    }

    /** The value of A or B, whole or made from its parts. */
    private Matrix matrix(Part part, String module) {
        if (parts.contains(part)) {
            return read(part, module);
        }
        Matrix direction = Decomposition.normalize(read(part.direction(), module), axis);
        return Decomposition.recompose(read(part.magnitude(), module), direction, axis);
    }

    @Override
    public Map<String, INDArray> variables(int layer) {
        return variables.get(layer);
    }

    @Override
    public Map<String, INDArray> gradients(int layer) {
        return gradients.get(layer);
    }

    /** Inverted dropout: 0 with the dropout's probability p, else 1 / (1 - p). */
    @Override
    public void fillNoise(int layer, String placeholder, INDArray target) {
        SplittableRandom random = new SplittableRandom(noiseSeed + 31L * layer + 1_000_003L * placeholder.hashCode());
        float[] mask = new float[Math.toIntExact(target.length())];
        float kept = (float) (1 / (1 - config.dropout()));
        for (int i = 0; i < mask.length; i++) {
            mask[i] = random.nextDouble() < config.dropout() ? 0 : kept;
        }
        NativeArrays.write(mask, target);
    }

    @Override
    public void close() {
        memory.close();
    }

    private long[] shape(Part part, String module) {
        ModuleShape shape = AdapterState.get(shapes, module);
        int rank = config.rank(module);
        long[] matrix = part.matrix() == Part.A ? new long[] {rank, shape.in()} : new long[] {shape.out(), rank};
        if (part.isMagnitude()) {
            matrix[axis == MagnitudeAxis.ROW ? 1 : 0] = 1;
        }
        return matrix;
    }

    private static int layer(String module) {
        return Integer.parseInt(module.split("\\.", 4)[2]);
    }

    private static String inLayer(String module) {
        return module.split("\\.", 4)[3];
    }

    /** The variable's name in its layer's graph: {@code self_attn.q_proj.lora_A.direction}. */
    private static String variable(String module, Part part) {
        return inLayer(module) + ".lora_" + part;
    }
}
