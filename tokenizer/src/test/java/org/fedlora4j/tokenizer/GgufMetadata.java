package org.fedlora4j.tokenizer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The metadata of a sound GGUF file, version 3; this module knows no reader for others. */
final class GgufMetadata {
    private GgufMetadata() {}

    static GgufVocabulary vocabulary(Path file) throws IOException {
        Map<String, Object> values = read(file);
        List<?> types = (List<?>) get(values, "token_type").orElseThrow();
        return new GgufVocabulary(
                file,
                (String) get(values, "model").orElseThrow(),
                (String) get(values, "pre").orElse("default"),
                strings(values, "tokens"),
                new float[0],
                types.stream().mapToInt(type -> (Integer) type).toArray(),
                strings(values, "merges"),
                id(values, "bos"),
                id(values, "eos"),
                id(values, "unknown"),
                id(values, "padding"),
                get(values, "add_bos_token").map(Boolean.class::cast),
                get(values, "add_space_prefix").map(Boolean.class::cast),
                Optional.ofNullable((String) values.get("tokenizer.chat_template")));
    }

    private static Optional<Object> get(Map<String, Object> values, String key) {
        return Optional.ofNullable(values.get("tokenizer.ggml." + key));
    }

    private static List<String> strings(Map<String, Object> values, String key) {
        return ((List<?>) get(values, key).orElseThrow())
                .stream().map(String.class::cast).toList();
    }

    private static OptionalInt id(Map<String, Object> values, String role) {
        return get(values, role + "_token_id")
                .map(id -> OptionalInt.of((Integer) id))
                .orElse(OptionalInt.empty());
    }

    private static Map<String, Object> read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer in = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
                    .order(ByteOrder.LITTLE_ENDIAN);
            in.position(16);
            Map<String, Object> values = new HashMap<>();
            for (long pairs = in.getLong(); pairs > 0; pairs--) {
                String key = string(in);
                values.put(key, value(in, in.getInt()));
            }
            return values;
        }
    }

    private static Object value(ByteBuffer in, int type) {
        return switch (type) {
            case 4, 5 -> in.getInt();
            case 6 -> in.getFloat();
            case 7 -> in.get() != 0;
            case 8 -> string(in);
            case 9 -> {
                int elementType = in.getInt();
                List<Object> elements = new ArrayList<>();
                for (long count = in.getLong(); count > 0; count--) {
                    elements.add(value(in, elementType));
                }
                yield elements;
            }
            default -> throw new IllegalArgumentException("type " + type);
        };
    }

    private static String string(ByteBuffer in) {
        byte[] bytes = new byte[Math.toIntExact(in.getLong())];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
