package org.fedlora4j.model.weights;

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

/** The tensors of a folder, in one safetensors file or in shards with an index. */
final class SafetensorsFolder implements AutoCloseable {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    private final Path place;
    private final Map<Path, SafetensorsFile> files = new LinkedHashMap<>();
    private final Map<String, SafetensorsFile> byTensor = new LinkedHashMap<>();

    private SafetensorsFolder(Path place) {
        this.place = place;
    }

    /** Opens {@code model.safetensors}, or the shards that {@code model.safetensors.index.json} names. */
    static SafetensorsFolder open(Path folder) throws IOException {
        boolean single = Files.exists(folder.resolve(SINGLE));
        if (!single && !Files.exists(folder.resolve(INDEX))) {
            throw new BadInputException(folder + ": no " + SINGLE + " and no " + INDEX);
        }
        SafetensorsFolder tensors = new SafetensorsFolder(folder.resolve(single ? SINGLE : INDEX));
        try {
            if (single) {
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
    Path place() {
        return place;
    }

    Set<String> names() {
        return Collections.unmodifiableSet(byTensor.keySet());
    }

    /** The file that holds a tensor. */
    SafetensorsFile file(String name) {
        SafetensorsFile file = byTensor.get(name);
        if (file == null) {
            throw new BadInputException(place + ": " + name + " is missing");
        }
        return file;
    }

    @Override
    public void close() throws IOException {
        for (SafetensorsFile file : files.values()) {
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
                throw new BadInputException(shard + ": " + tensor + " is missing; " + INDEX + " places it there");
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
        SafetensorsFile file = SafetensorsFile.open(path);
        files.put(path, file);
        for (String tensor : file.tensors().keySet()) {
            SafetensorsFile other = byTensor.put(tensor, file);
            if (other != null) {
                throw new BadInputException(path + ": " + tensor + " is in " + other.path() + " too; wanted it once");
            }
        }
    }
}
