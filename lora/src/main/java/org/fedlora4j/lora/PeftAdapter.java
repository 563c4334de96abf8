package org.fedlora4j.lora;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.JsonFields;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.SafetensorsFile;
import org.fedlora4j.model.weights.SafetensorsWriter;
import org.fedlora4j.model.weights.TensorInfo;

/**
 * Adapter folders of PEFT: {@code adapter_config.json} and {@code adapter_model.safetensors}, whose tensors are {@code
 * base_model.model.<module>.lora_A.weight} [r, in] and {@code .lora_B.weight} [out, r], in F32, F16 or BF16.
 */
public final class PeftAdapter {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String DECOMPOSITION = "decomposition.safetensors";
    private static final String PREFIX = "base_model.model.";

    /** Older files have the adapter's name between the matrix and the word weight. */
    private static final Pattern KEY = Pattern.compile("base_model\\.model\\.(.+)\\.lora_([AB])(\\.default)?\\.weight");

    private PeftAdapter() {}

    /**
     * Reads an adapter and checks that it fits the model: every adapted module has both matrices, of the shapes that the
     * model and the settings say, with finite values, and there is no other tensor.
     */
    public static AdapterState read(Path folder, LlamaConfig model) throws IOException {
        LoraConfig config = PeftConfig.read(JsonFields.read(folder.resolve(CONFIG)));
        Map<String, ModuleShape> shapes = ModuleShape.of(model, config);
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(WEIGHTS))) {
            Map<String, String> keys = keys(file, config, shapes.keySet());
            SortedMap<String, LoraPair> modules = new TreeMap<>();
            for (Map.Entry<String, ModuleShape> entry : shapes.entrySet()) {
                String module = entry.getKey();
                ModuleShape shape = entry.getValue();
                int rank = config.rank(module);
                Matrix a = matrix(file, keys, module + ".lora_A", rank, shape.in());
                Matrix b = matrix(file, keys, module + ".lora_B", shape.out(), rank);
                modules.put(module, new LoraPair(a, b));
            }
            return new AdapterState(config, modules);
        }
    }

    /**
     * Writes a folder that PEFT can load. It must not exist and appears whole or not at all.
     *
     * @param baseModel the path or the hub's name of the model that the adapter belongs to
     */
    public static void write(AdapterState adapter, Path folder, String baseModel) throws IOException {
        AtomicFiles.writeFolder(folder, path -> writeFiles(adapter, path, baseModel));
    }

    /**
     * {@link #write(AdapterState, Path, String)} with the adapter's magnitudes and directions beside it in {@code
     * decomposition.safetensors}, as {@code <module>.lora_A.direction} and so on. An untrained adapter has none.
     */
    public static void write(AdapterState adapter, MagnitudeAxis axis, Path folder, String baseModel)
            throws IOException {
        AtomicFiles.writeFolder(folder, path -> {
            writeFiles(adapter, path, baseModel);
            if (adapter.isTrained()) {
                writeDecomposition(DecomposedAdapter.of(adapter, axis), path);
            }
        });
    }

    private static void writeDecomposition(DecomposedAdapter adapter, Path folder) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter()
                .metadata("magnitude-axis", adapter.axis() == MagnitudeAxis.ROW ? "row" : "column");
        adapter.modules().forEach((module, pair) -> {
            addMatrix(writer, module + ".lora_A.direction", pair.aDirection());
            addVector(writer, module + ".lora_A.magnitude", pair.aMagnitude());
            addMatrix(writer, module + ".lora_B.direction", pair.bDirection());
            addVector(writer, module + ".lora_B.magnitude", pair.bMagnitude());
        });
        writer.write(folder.resolve(DECOMPOSITION));
    }

    private static void writeFiles(AdapterState adapter, Path folder, String baseModel) throws IOException {
        String config = PeftConfig.write(adapter.config(), baseModel).toPrettyString();
        AtomicFiles.writeString(folder.resolve(CONFIG), config + "\n");
        SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
        adapter.modules().forEach((module, pair) -> {
            addMatrix(writer, PREFIX + module + ".lora_A.weight", pair.a());
            addMatrix(writer, PREFIX + module + ".lora_B.weight", pair.b());
        });
        writer.write(folder.resolve(WEIGHTS));
    }

    private static void addMatrix(SafetensorsWriter writer, String name, Matrix matrix) {
        writer.floats(name, new long[] {matrix.rows(), matrix.columns()}, matrix.values());
    }

    private static void addVector(SafetensorsWriter writer, String name, Matrix vector) {
        writer.floats(name, new long[] {vector.values().length}, vector.values());
    }

    /** The tensor names by {@code <module>.lora_A} and {@code <module>.lora_B}. */
    private static Map<String, String> keys(SafetensorsFile file, LoraConfig config, Set<String> modules) {
        Map<String, String> keys = new TreeMap<>();
        for (String name : file.tensors().keySet()) {
            Matcher matcher = KEY.matcher(name);
            if (!matcher.matches()) {
                throw new BadInputException(file.path() + ": " + name + " is unknown; wanted names like " + PREFIX
                        + "<module>.lora_A.weight");
            }
            String module = matcher.group(1);
            if (!modules.contains(module)) {
                throw new BadInputException(file.path() + ": " + name
                        + ": the model has no such module, or it is not one" + " of the targets " + config.targets());
            }
            if (keys.put(module + ".lora_" + matcher.group(2), name) != null) {
                throw new BadInputException(file.path() + ": " + name + " is there with and without '.default'");
            }
        }
        return keys;
    }

    private static Matrix matrix(SafetensorsFile file, Map<String, String> keys, String key, int rows, int columns)
            throws IOException {
        String name = keys.get(key);
        if (name == null) {
            throw new BadInputException(file.path() + ": " + PREFIX + key + ".weight is missing");
        }
        TensorInfo info = file.tensor(name);
        long[] shape = info.shape();
        if (!info.type().isWeight() || shape.length != 2 || shape[0] != rows || shape[1] != columns) {
            throw new BadInputException(file.path() + ": " + name + " is " + info + "; wanted F32, F16 or BF16 [" + rows
                    + ", " + columns + "] by the model and by r in " + CONFIG);
        }
        Matrix matrix = Matrix.of(rows, columns, file.floats(name));
        if (!matrix.isFinite()) {
            throw new BadInputException(file.path() + ": " + name + " holds a value that is not finite");
        }
        return matrix;
    }
}
