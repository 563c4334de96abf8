package org.fedlora4j.model.weights;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.JsonFields;

/**
 * The tensors of a folder as Hugging Face lays it out: in one file, or in shards with an index beside them.
 *
 * @param <F> a file of the folder's format
 */
public final class TensorFolder<F extends TensorFile> implements Closeable {
    /** What an index adds to the name of the single file that it stands for. */
    public static final String INDEX_SUFFIX = ".index.json";

    private final Path place;
    private final Opener<F> opener;
    private final Map<Path, F> files = new LinkedHashMap<>();
    private final Map<String, F> byTensor = new LinkedHashMap<>();

    /** Opens a file of one format and checks it. */
    @FunctionalInterface
    public interface Opener<F extends TensorFile> {
        F open(Path path) throws IOException;
    }

    private TensorFolder(Path place, Opener<F> opener) {
        this.place = place;
        this.opener = opener;
    }

    /**
     * Opens the single file, or else the shards that its index names.
     *
     * @param single name of the file, such as {@code model.safetensors}
     * @throws BadInputException if neither is there, or a file is not sound, or the index does not match the shards
     */
    public static <F extends TensorFile> TensorFolder<F> open(Path folder, String single, Opener<F> opener)
            throws IOException {
        String index = single + INDEX_SUFFIX;
        boolean whole = Files.exists(folder.resolve(single));
        if (!whole && !Files.exists(folder.resolve(index))) {
            throw new BadInputException(folder + ": no " + single + " and no " + index);
        }
        TensorFolder<F> tensors = new TensorFolder<>(folder.resolve(whole ? single : index), opener);
        try {
            if (whole) {
                tensors.add(tensors.place);
            } else {
                tensors.addShards(folder);
            }
        } catch (IOException | RuntimeException e) {
            tensors.close();
            throw e;
        }
        return tensors;
    }

    /** The file that lists the tensors. */
    public Path place() {
        return place;
    }

    public Set<String> names() {
        return Collections.unmodifiableSet(byTensor.keySet());
    }

    /** The file that holds a tensor. */
    public F file(String name) {
        F file = byTensor.get(name);
        if (file == null) {
            throw new BadInputException(place + ": " + name + " is missing");
        }
        return file;
    }

    @Override
    public void close() throws IOException {
        for (F file : files.values()) {
            file.close();
        }
    }

    private void addShards(Path folder) throws IOException {
        JsonFields index = JsonFields.read(place);
        JsonFields shards = index.object("weight_map").orElseThrow(() -> index.wrong("weight_map", "an object"));
        for (String tensor : shards.names()) {
            Path shard = shard(folder, shards, tensor);
            if (!files.containsKey(shard)) {
                add(shard);
            }
            if (byTensor.get(tensor) != files.get(shard)) {
                throw new BadInputException(
                        shard + ": " + tensor + " is missing; " + place.getFileName() + " places it there");
            }
        }
    }

    /** Only a plain name: an index must not reach outside its folder. */
    private static Path shard(Path folder, JsonFields shards, String tensor) {
        String name = shards.text(tensor);
        try {
            Path file = Path.of(name);
            if (file.getParent() == null && file.getRoot() == null) {
                return folder.resolve(file);
            }
        } catch (InvalidPathException e) {
            throw new BadInputException(shards.place() + ": " + tensor + " is in no file name: " + e.getReason(), e);
        }
        throw shards.wrong(tensor, "the name of a file in the folder");
    }

    private void add(Path path) throws IOException {
        F file = opener.open(path);
        files.put(path, file);
        for (String tensor : file.names()) {
            F other = byTensor.put(tensor, file);
            if (other != null) {
                throw new BadInputException(path + ": " + tensor + " is in " + other.path() + " too; wanted it once");
            }
        }
    }
}
