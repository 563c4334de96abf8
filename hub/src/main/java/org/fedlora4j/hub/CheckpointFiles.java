package org.fedlora4j.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;
import org.jspecify.annotations.Nullable;

/**
 * Which files of a repository make up a LLaMA checkpoint: configuration, tokenizer, and the weights once, in the order
 * of preference of transformers' {@code from_pretrained}; of a PEFT adapter, the adapter.
 *
 * @param names all but the shards
 * @param index the one of them that names the shards, if there are any
 */
record CheckpointFiles(List<String> names, @Nullable String index) {
    private static final List<String> CONFIGURATION = List.of(
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer.model",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "vocab.json",
            "merges.txt",
            "chat_template.jinja");
    private static final List<String> ADAPTER = List.of("adapter_config.json", "adapter_model.safetensors");
    private static final List<String> WEIGHTS = List.of(
            "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json");
    private static final long LARGEST_INDEX = 64 << 20;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Chooses among the files that a repository has. */
    static CheckpointFiles of(ModelRevision model, Set<String> available) {
        List<String> names = new ArrayList<>(CONFIGURATION);
        boolean adapter = available.contains("adapter_config.json");
        if (adapter) {
            names.addAll(ADAPTER);
        }
        names.retainAll(available);
        @Nullable
        String weights =
                WEIGHTS.stream().filter(available::contains).findFirst().orElse(null);
        if (weights != null) {
            require(model, available, "config.json");
            names.add(weights);
        } else if (adapter) {
            require(model, available, "adapter_model.safetensors");
        } else {
            List<String> gguf = available.stream()
                    .filter(name -> name.endsWith(".gguf"))
                    .sorted()
                    .limit(10)
                    .toList();
            throw new BadInputException(model + ": has no weights, wanted " + String.join(", ", WEIGHTS) + " or "
                    + ADAPTER.get(1) + (gguf.isEmpty() ? "" : "; choose with --file: " + String.join(", ", gguf)));
        }
        return new CheckpointFiles(
                List.copyOf(names), weights != null && weights.endsWith(".index.json") ? weights : null);
    }

    /**
     * The files that an index names.
     *
     * @param file the index
     * @param available what the repository has; a shard that it lacks is bad input
     */
    static Collection<String> shards(ModelRevision model, Path file, Set<String> available) throws IOException {
        String index = model + ": " + file.getFileName();
        if (Files.size(file) > LARGEST_INDEX) {
            throw new BadInputException(
                    index + ": " + Files.size(file) + " bytes, wanted " + LARGEST_INDEX + " at most");
        }
        byte[] json = Files.readAllBytes(file);
        JsonNode map;
        try {
            map = MAPPER.readTree(json).path("weight_map");
        } catch (IOException e) { // of JSON or of its encoding: the bytes are in memory
            throw new BadInputException(index + ": is no JSON", e);
        }
        Set<String> shards = new TreeSet<>();
        for (JsonNode shard : map) {
            if (!shard.isTextual() || !available.contains(shard.asText())) {
                throw new BadInputException(index + ": names the shard '" + RepositoryPath.printable(shard.asText())
                        + "', which the repository lacks");
            }
            shards.add(shard.asText());
        }
        if (!map.isObject() || shards.isEmpty()) {
            throw new BadInputException(index + ": weight_map: names no shards");
        }
        return shards;
    }

    private static void require(ModelRevision model, Set<String> available, String name) {
        if (!available.contains(name)) {
            throw new BadInputException(model + ": has no " + name);
        }
    }
}
