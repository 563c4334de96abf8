package org.fedlora4j.benchmark.synthetic;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Role;
import org.fedlora4j.model.weights.SafetensorsWriter;
import org.fedlora4j.model.weights.TensorFolder;

/** Which tensors a made-up checkpoint has, and which file each is in, as {@code save_pretrained} of transformers lays them out. */
final class CheckpointPlan {
    /** Where transformers begins the next file: {@code max_shard_size="10GB"}. */
    static final long SHARD_BYTES = 10_000_000_000L;

    /** Of projections and embeddings; that of Hugging Face's {@code initializer_range} too. */
    private static final double DEVIATION = 0.02;

    /** A layer's parameters before and after the place of its rotary buffer, as PyTorch's {@code state_dict} has them. */
    private static final List<Role> ATTENTION = List.of(Role.QUERY, Role.KEY, Role.VALUE, Role.OUTPUT);

    private static final List<Role> REST =
            List.of(Role.GATE, Role.UP, Role.DOWN, Role.INPUT_NORM, Role.POST_ATTENTION_NORM);

    private final CheckpointFormat format;
    private final SortedMap<String, List<StoredTensor>> shards = new TreeMap<>();

    CheckpointPlan(Blueprint blueprint, LlamaConfig config, CheckpointFormat format, long seed, long shardBytes) {
        this.format = format;
        List<List<StoredTensor>> parts = split(tensors(blueprint, config, seed), shardBytes);
        for (int i = 0; i < parts.size(); i++) {
            shards.put(format.shard(i + 1, parts.size()), parts.get(i));
        }
    }

    /** The files with weights and their lengths in bytes. */
    Map<String, Long> files() {
        Map<String, Long> lengths = new LinkedHashMap<>();
        shards.forEach((file, tensors) -> lengths.put(file, format.length(file, tensors)));
        return lengths;
    }

    long bytes() {
        return files().values().stream().mapToLong(Long::longValue).sum();
    }

    /** Writes one of the {@link #files}. */
    void write(String file, OutputStream out) throws IOException {
        format.write(file, shards.getOrDefault(file, List.of()), out);
    }

    /** The name of the index, which a single file does without. */
    String indexFile() {
        return format.single() + TensorFolder.INDEX_SUFFIX;
    }

    boolean hasIndex() {
        return shards.size() > 1;
    }

    /** The index as Python's {@code json.dumps(indent=2, sort_keys=True)} spells it. */
    String index() {
        SortedMap<String, String> places = new TreeMap<>();
        shards.forEach((file, tensors) -> tensors.forEach(tensor -> places.put(tensor.name(), file)));
        long bytes = shards.values().stream()
                .flatMap(List::stream)
                .mapToLong(StoredTensor::bytes)
                .sum();
        return places.entrySet().stream()
                .map(place -> "    \"" + place.getKey() + "\": \"" + place.getValue() + "\"")
                .collect(Collectors.joining(
                        ",\n",
                        "{\n  \"metadata\": {\n    \"total_size\": " + bytes + "\n  },\n  \"weight_map\": {\n",
                        "\n  }\n}\n"));
    }

    private static List<List<StoredTensor>> split(List<StoredTensor> tensors, long shardBytes) {
        List<List<StoredTensor>> shards = new ArrayList<>();
        long bytes = 0;
        for (StoredTensor tensor : tensors) {
            if (shards.isEmpty() || bytes + tensor.bytes() > shardBytes) {
                shards.add(new ArrayList<>());
                bytes = 0;
            }
            shards.get(shards.size() - 1).add(tensor);
            bytes += tensor.bytes();
        }
        return shards;
    }

    private static List<StoredTensor> tensors(Blueprint blueprint, LlamaConfig config, long seed) {
        ElementType type = blueprint.type();
        NormalValues weights = new NormalValues(0, DEVIATION, type, seed);
        NormalValues norms = new NormalValues(1, DEVIATION, type, seed);
        List<StoredTensor> tensors = new ArrayList<>();
        tensors.add(tensor(ParameterNames.name(Role.EMBEDDING), Role.EMBEDDING, config, type, weights));
        for (int layer = 0; layer < config.layers(); layer++) {
            for (Role role : ATTENTION) {
                tensors.add(tensor(ParameterNames.name(layer, role), role, config, type, weights));
            }
            if (blueprint.rotaryBuffers()) {
                tensors.add(rotaryBuffer(layer, config));
            }
            for (Role role : REST) {
                NormalValues values = role == Role.INPUT_NORM || role == Role.POST_ATTENTION_NORM ? norms : weights;
                tensors.add(tensor(ParameterNames.name(layer, role), role, config, type, values));
            }
        }
        tensors.add(tensor(ParameterNames.name(Role.FINAL_NORM), Role.FINAL_NORM, config, type, norms));
        if (!config.tiedEmbeddings()) {
            tensors.add(tensor(ParameterNames.name(Role.HEAD), Role.HEAD, config, type, weights));
        }
        return tensors;
    }

    private static StoredTensor tensor(
            String name, Role role, LlamaConfig config, ElementType type, NormalValues values) {
        SafetensorsWriter.Source source = out -> values.write(name, role.elements(config), out);
        return StoredTensor.of(name, type, role.shape(config), source);
    }

    /** The frequencies in F32, [headSize / 2], whatever type the weights have. */
    private static StoredTensor rotaryBuffer(int layer, LlamaConfig config) {
        double[] frequencies = config.inverseFrequencies();
        ByteBuffer bytes = ByteBuffer.allocate(frequencies.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (double frequency : frequencies) {
            bytes.putFloat((float) frequency);
        }
        return StoredTensor.of(
                "model.layers." + layer + ".self_attn.rotary_emb.inv_freq",
                ElementType.F32,
                new long[] {frequencies.length},
                out -> out.write(bytes.array()));
    }
}
