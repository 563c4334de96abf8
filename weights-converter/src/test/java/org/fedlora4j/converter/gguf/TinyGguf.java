package org.fedlora4j.converter.gguf;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A GGUF file of a LLaMA of one layer whose keys and tensors tests change before it is written. */
public final class TinyGguf {
    /** Integers are written as uint32, doubles as float32. */
    public final Map<String, Object> keys = new LinkedHashMap<>(Map.of(
            "general.architecture", "llama",
            "llama.block_count", 1,
            "llama.context_length", 64,
            "llama.embedding_length", 32,
            "llama.feed_forward_length", 64,
            "llama.attention.head_count", 2,
            "llama.attention.head_count_kv", 1,
            "llama.attention.layer_norm_rms_epsilon", 1e-5,
            "llama.vocab_size", 3));

    /** All are zero but for those of {@link #addFloats}. */
    public final Map<String, Tensor> tensors = new LinkedHashMap<>();

    public record Tensor(GgufType type, List<Long> shape, float[] values) {}

    public TinyGguf() {
        add("token_embd.weight", GgufType.F16, 3, 32);
        add("blk.0.attn_norm.weight", GgufType.F32, 32);
        add("blk.0.attn_q.weight", GgufType.Q4_0, 32, 32);
        add("blk.0.attn_k.weight", GgufType.Q4_1, 16, 32);
        add("blk.0.attn_v.weight", GgufType.BF16, 16, 32);
        add("blk.0.attn_output.weight", GgufType.Q8_0, 32, 32);
        add("blk.0.ffn_norm.weight", GgufType.F32, 32);
        add("blk.0.ffn_gate.weight", GgufType.Q4_0, 64, 32);
        add("blk.0.ffn_up.weight", GgufType.Q4_0, 64, 32);
        add("blk.0.ffn_down.weight", GgufType.Q4_0, 32, 64);
        add("output_norm.weight", GgufType.F32, 32);
    }

    public void add(String name, GgufType type, long... shape) {
        tensors.put(name, new Tensor(type, Arrays.stream(shape).boxed().toList(), new float[0]));
    }

    /** Adds an F32 tensor of one dimension. */
    public void addFloats(String name, float... values) {
        tensors.put(name, new Tensor(GgufType.F32, List.of((long) values.length), values));
    }

    public Path write(Path file) throws IOException {
        GgufWriter writer = new GgufWriter();
        keys.forEach((key, value) -> {
            if (value instanceof String text) {
                writer.text(key, text);
            } else if (value instanceof Integer number) {
                writer.integer(key, number);
            } else if (value instanceof Double number) {
                writer.number(key, number);
            } else if (value instanceof Boolean bool) {
                writer.bool(key, bool);
            } else if (value instanceof float[] numbers) {
                writer.floats(key, numbers);
            } else if (value instanceof int[] numbers) {
                writer.integers(key, numbers);
            } else {
                writer.texts(
                        key, ((List<?>) value).stream().map(String.class::cast).toList());
            }
        });
        tensors.forEach((name, tensor) -> writer.tensor(name, tensor.type, tensor.shape, out -> {
            long elements = tensor.shape.stream().reduce(1L, Math::multiplyExact);
            ByteBuffer bytes =
                    ByteBuffer.allocate((int) tensor.type.bytes(elements)).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(tensor.values);
            out.write(bytes.array());
        }));
        try (OutputStream out = Files.newOutputStream(file)) {
            writer.writeTo(out);
        }
        return file;
    }
}
