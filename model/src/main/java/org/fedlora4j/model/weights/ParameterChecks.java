package org.fedlora4j.model.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.ParameterNames.Role;

/** Whether a file's tensors are the parameters that a configuration asks for. */
public final class ParameterChecks {
    private static final int CHUNK_ELEMENTS = 1 << 16;

    private ParameterChecks() {}

    /**
     * Refuses a folder whose tensors are not the parameters of the configuration.
     *
     * @param source reads from the folder
     */
    public static void requireSame(WeightSource source, TensorFolder<?> folder) throws IOException {
        for (String name : folder.names()) {
            if (!ParameterNames.isIgnored(name)) {
                TensorFile file = folder.file(name);
                requireKnown(source.config(), file.path().toString(), name, file.shape(name));
                if (!file.type(name).isWeight()) {
                    throw new BadInputException(
                            file.path() + ": " + name + " is " + file.type(name) + "; wanted F32, F16 or BF16");
                }
            }
        }
        String place = folder.place().toString();
        requireAll(source.config(), place, folder.names());
        requireTied(source, place, folder.names());
    }

    /**
     * Refuses a tensor that the configuration's model does not have in this shape.
     *
     * @param file for the message
     */
    public static void requireKnown(LlamaConfig config, String file, String name, long[] shape) {
        Parameter parameter;
        try {
            parameter = ParameterNames.parse(name);
        } catch (BadInputException e) {
            throw new BadInputException(file + ": " + e.getMessage(), e);
        }
        if (parameter.layer() >= config.layers()) {
            throw new BadInputException(
                    file + ": " + name + ": the configuration has num_hidden_layers " + config.layers());
        }
        long[] wanted = parameter.role().shape(config);
        if (!Arrays.equals(shape, wanted)) {
            throw new BadInputException(file + ": " + name + " has shape " + Arrays.toString(shape)
                    + "; the configuration wants " + Arrays.toString(wanted));
        }
    }

    /** Refuses a file in which a parameter is missing. */
    public static void requireAll(LlamaConfig config, String file, Set<String> names) {
        // One step at a time: the number of layers is only a claim until the file has them.
        for (Iterator<Parameter> parameters = ParameterNames.of(config).iterator(); parameters.hasNext(); ) {
            String name = parameters.next().name();
            if (!names.contains(name)) {
                throw new BadInputException(file + ": " + name + " is missing");
            }
        }
    }

    /** Refuses a head that the file holds although it is tied, unless it is the embedding. */
    public static void requireTied(WeightSource source, String file, Set<String> names) throws IOException {
        String head = ParameterNames.name(Role.HEAD);
        String embedding = ParameterNames.name(Role.EMBEDDING);
        if (source.config().tiedEmbeddings() && names.contains(head) && !equal(source, head, embedding)) {
            throw new BadInputException(file + ": " + head + " differs from " + embedding
                    + "; wanted the same, as tie_word_embeddings is true");
        }
    }

    private static boolean equal(WeightSource source, String name, String other) throws IOException {
        long elements = ParameterNames.parse(name).role().elements(source.config());
        for (long begin = 0; begin < elements; begin += CHUNK_ELEMENTS) {
            int bytes = Float.BYTES * (int) Math.min(CHUNK_ELEMENTS, elements - begin);
            ByteBuffer one = ByteBuffer.allocate(bytes);
            ByteBuffer two = ByteBuffer.allocate(bytes);
            source.read(name, begin, ElementType.F32, one);
            source.read(other, begin, ElementType.F32, two);
            if (!Arrays.equals(one.array(), two.array())) {
                return false;
            }
        }
        return true;
    }
}
