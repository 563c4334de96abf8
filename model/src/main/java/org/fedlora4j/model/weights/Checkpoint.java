package org.fedlora4j.model.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.JsonFields;
import org.fedlora4j.model.config.LlamaConfig;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A model in a folder: a checkpoint that fedlora4j converted, or Hugging Face's own in safetensors, whole or in shards.
 * When one is open, it has every tensor that its configuration asks for, with the right shape, in F32, F16 or BF16, and
 * no other.
 */
public final class Checkpoint implements WeightSource, AutoCloseable {
    /** Version of the folder's layout, in {@code fedlora.json}. */
    public static final int FORMAT_VERSION = 1;

    /** The file that says where a converted checkpoint came from; Hugging Face's have none. */
    public static final String ORIGIN_FILE = "fedlora.json";

    /** The file with all weights, where there are no shards. */
    private static final String SINGLE_FILE = "model.safetensors";

    private final Path folder;
    private final LlamaConfig config;
    private final TensorFolder<SafetensorsFile> tensors;

    private Checkpoint(Path folder, LlamaConfig config, TensorFolder<SafetensorsFile> tensors) {
        this.folder = folder;
        this.config = config;
        this.tensors = tensors;
    }

    /**
     * Opens a folder and checks it.
     *
     * @throws BadInputException if anything is missing, wrong, unknown or not supported; the message names it
     */
    public static Checkpoint open(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new BadInputException(folder + ": no such folder; wanted a model's folder");
        }
        checkVersion(folder.resolve(ORIGIN_FILE));
        LlamaConfig config = LlamaConfig.read(folder.resolve("config.json"));
        TensorFolder<SafetensorsFile> tensors = TensorFolder.open(folder, SINGLE_FILE, SafetensorsFile::open);
        Checkpoint checkpoint = new Checkpoint(folder, config, tensors);
        try {
            ParameterChecks.requireSame(checkpoint, tensors);
        } catch (IOException | RuntimeException e) {
            tensors.close();
            throw e;
        }
        return checkpoint;
    }

    /** Whether a folder holds weights, and not a configuration alone; nothing is opened. */
    public static boolean hasWeights(Path folder) {
        return Files.exists(folder.resolve(SINGLE_FILE))
                || Files.exists(folder.resolve(SINGLE_FILE + TensorFolder.INDEX_SUFFIX));
    }

    @Override
    public LlamaConfig config() {
        return config;
    }

    public Path folder() {
        return folder;
    }

    /** Shape, type and place of a weight. */
    public TensorInfo info(String name) {
        return tensors.file(name).tensor(name);
    }

    /**
     * A weight as a view of the mapped file, read-only, in the file's type; see {@link SafetensorsFile#array}.
     *
     * @param name as in {@link ParameterNames}
     */
    public INDArray weight(String name) throws IOException {
        return tensors.file(name).array(name);
    }

    /** Takes a weight out of this process's memory until it is read again; see {@link SafetensorsFile#evict}. */
    public void evict(String name) {
        tensors.file(name).evict(name);
    }

    /** A weight's values, copied to the heap in float32; see {@link SafetensorsFile#floats}. */
    public float[] floats(String name) throws IOException {
        return tensors.file(name).floats(name);
    }

    @Override
    public ElementType type(String name) {
        return info(name).type();
    }

    @Override
    public void read(String name, long begin, ElementType type, ByteBuffer out) throws IOException {
        tensors.file(name).read(name, begin, type, out);
    }

    /** Arrays that {@link #weight} gave stay usable. */
    @Override
    public void close() throws IOException {
        tensors.close();
    }

    private static void checkVersion(Path originFile) throws IOException {
        if (Files.exists(originFile)) {
            JsonFields origin = JsonFields.read(originFile);
            if (origin.positiveInt("formatVersion") != FORMAT_VERSION) {
                throw origin.wrong("formatVersion", FORMAT_VERSION + ": convert the model again");
            }
        }
    }
}
