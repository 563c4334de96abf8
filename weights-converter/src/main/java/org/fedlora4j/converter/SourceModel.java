package org.fedlora4j.converter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.converter.gguf.GgufFile;
import org.fedlora4j.model.weights.WeightSource;

/** A model to convert: its weights, and what a checkpoint has beside them. */
public interface SourceModel extends WeightSource, AutoCloseable {
    /** The configuration as {@code config.json} has it. */
    ObjectNode configJson() throws IOException;

    /** Writes the tokenizer and what else goes with the weights, as Hugging Face names it. */
    void writeCompanions(Path folder) throws IOException;

    @Override
    void close() throws IOException;

    /**
     * Opens a model of any supported format and checks it.
     *
     * @param source a folder of Hugging Face's with safetensors or, failing that, {@code pytorch_model.bin}, whole or in
     *     shards; one of these files, or the index of the shards; a GGUF file, or a folder with one and no other weights
     * @throws BadInputException if there is no such file or it is not a sound model that is supported
     */
    static SourceModel open(Path source) throws IOException {
        if (Files.isDirectory(source)) {
            return openFolder(source);
        }
        if (!Files.exists(source)) {
            throw new BadInputException(source + ": no such file or folder; wanted a model");
        }
        Path folder = source.toAbsolutePath().getParent();
        if (folder != null && SafetensorsModel.FILES.contains(String.valueOf(source.getFileName()))) {
            return new SafetensorsModel(folder);
        }
        if (folder != null && PyTorchModel.FILES.contains(String.valueOf(source.getFileName()))) {
            return PyTorchModel.open(folder);
        }
        if (source.toString().endsWith(GgufModel.SUFFIX) || GgufFile.isGguf(source)) {
            return new GgufModel(source);
        }
        throw new BadInputException(source + ": not a model's file; wanted " + wanted());
    }

    private static SourceModel openFolder(Path folder) throws IOException {
        if (holdsAny(folder, SafetensorsModel.FILES)) {
            return new SafetensorsModel(folder);
        }
        if (holdsAny(folder, PyTorchModel.FILES)) {
            return PyTorchModel.open(folder);
        }
        List<Path> ggufs = ggufs(folder);
        if (ggufs.size() > 1) {
            throw new BadInputException(folder + ": holds several models, "
                    + ggufs.stream().map(file -> file.getFileName().toString()).collect(Collectors.joining(", "))
                    + "; wanted one of these files");
        }
        if (!ggufs.isEmpty()) {
            return new GgufModel(ggufs.get(0));
        }
        throw new BadInputException(folder + ": holds no model; wanted " + wanted());
    }

    private static List<Path> ggufs(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(GgufModel.SUFFIX))
                    .sorted()
                    .toList();
        }
    }

    private static boolean holdsAny(Path folder, List<String> names) {
        return names.stream().anyMatch(name -> Files.exists(folder.resolve(name)));
    }

    private static String wanted() {
        return Stream.of(SafetensorsModel.FILES, PyTorchModel.FILES)
                        .map(names -> String.join(", ", names))
                        .reduce((all, more) -> all + ", " + more)
                        .orElseThrow()
                + " or a file " + GgufModel.SUFFIX;
    }
}
