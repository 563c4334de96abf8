package org.fedlora4j.model.weights;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Iterator;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.JsonFields;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.ParameterNames.Role;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A model in a folder: a checkpoint that fedlora4j converted, or Hugging Face's own in safetensors, whole or in shards.
 * When one is open, it has every tensor that its configuration asks for, with the right shape, in F32, F16 or BF16, and
 * no other.
 */
public final class Checkpoint implements AutoCloseable {
    /** Version of the folder's layout, in {@code fedlora.json}. */
    public static final int FORMAT_VERSION = 1;

    /** The file that says where a converted checkpoint came from; Hugging Face's have none. */
    public static final String ORIGIN_FILE = "fedlora.json";

    private final Path folder;
    private final LlamaConfig config;
    private final SafetensorsFolder tensors;

    private Checkpoint(Path folder, LlamaConfig config, SafetensorsFolder tensors) {
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
        SafetensorsFolder tensors = SafetensorsFolder.open(folder);
        try {
            check(config, tensors);
        } catch (IOException | RuntimeException e) {
            tensors.close();
            throw e;
        }
        return new Checkpoint(folder, config, tensors);
    }

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

    /** A weight's values, copied to the heap in float32; see {@link SafetensorsFile#floats}. */
    public float[] floats(String name) throws IOException {
        return tensors.file(name).floats(name);
    }

    /** Writes a weight's bytes as they are in the file: row-major, little-endian. */
    public void copyTo(String name, OutputStream out) throws IOException {
        tensors.file(name).copyTo(name, out);
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

    private static void check(LlamaConfig config, SafetensorsFolder tensors) throws IOException {
        for (String name : tensors.names()) {
            if (!ParameterNames.isIgnored(name)) {
                checkKnown(config, tensors.file(name), name);
            }
        }
        // One step at a time: the number of layers is only a claim until the file has them.
        for (Iterator<Parameter> parameters = ParameterNames.of(config).iterator(); parameters.hasNext(); ) {
            String name = parameters.next().name();
            if (!tensors.names().contains(name)) {
                throw new BadInputException(tensors.place() + ": " + name + " is missing");
            }
        }
        checkTied(config, tensors);
    }

    /** A tied head that the file holds none the less must be the embedding. */
    private static void checkTied(LlamaConfig config, SafetensorsFolder tensors) throws IOException {
        String head = ParameterNames.name(Role.HEAD);
        String embedding = ParameterNames.name(Role.EMBEDDING);
        if (config.tiedEmbeddings()
                && tensors.names().contains(head)
                && !Arrays.equals(sha256(tensors, head), sha256(tensors, embedding))) {
            throw new BadInputException(tensors.place() + ": " + head + " differs from " + embedding
                    + "; wanted the same, as tie_word_embeddings is true");
        }
    }

    private static byte[] sha256(SafetensorsFolder tensors, String name) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            tensors.file(name).copyTo(name, new DigestOutputStream(OutputStream.nullOutputStream(), digest));
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    private static void checkKnown(LlamaConfig config, SafetensorsFile file, String name) {
        Parameter parameter;
        try {
            parameter = ParameterNames.parse(name);
        } catch (BadInputException e) {
            throw new BadInputException(file.path() + ": " + e.getMessage(), e);
        }
        if (parameter.layer() >= config.layers()) {
            throw new BadInputException(
                    file.path() + ": " + name + ": config.json has num_hidden_layers " + config.layers());
        }
        TensorInfo info = file.tensor(name);
        if (!info.type().isWeight()) {
            throw new BadInputException(file.path() + ": " + name + " is " + info.type() + "; wanted F32, F16 or BF16");
        }
        long[] wanted = parameter.role().shape(config);
        if (!Arrays.equals(info.shape(), wanted)) {
            throw new BadInputException(file.path() + ": " + name + " has shape " + Arrays.toString(info.shape())
                    + "; config.json wants " + Arrays.toString(wanted));
        }
    }
}
