package org.fedlora4j.converter;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.converter.gguf.GgufMetadata;
import org.fedlora4j.converter.gguf.GgufWriter;
import org.fedlora4j.tokenizer.GgufVocabulary;

/** A tokenizer in GGUF's metadata. */
final class GgufTokenizer {
    static final String TOKENS = "tokenizer.ggml.tokens";

    private static final String MODEL = "tokenizer.ggml.model";
    private static final String PRE = "tokenizer.ggml.pre";
    private static final String SCORES = "tokenizer.ggml.scores";
    private static final String TYPES = "tokenizer.ggml.token_type";
    private static final String MERGES = "tokenizer.ggml.merges";
    private static final String BOS = "tokenizer.ggml.bos_token_id";
    private static final String EOS = "tokenizer.ggml.eos_token_id";
    private static final String UNKNOWN = "tokenizer.ggml.unknown_token_id";
    private static final String PADDING = "tokenizer.ggml.padding_token_id";
    private static final String ADD_BOS = "tokenizer.ggml.add_bos_token";
    private static final String ADD_SPACE_PREFIX = "tokenizer.ggml.add_space_prefix";
    private static final String CHAT_TEMPLATE = "tokenizer.chat_template";

    /** What llama.cpp calls the tokenizer of a file without one. */
    private static final List<String> NONE = List.of("none", "no_vocab");

    private GgufTokenizer() {}

    /** The tokenizer, if the file has one. */
    static Optional<GgufVocabulary> read(Path file, GgufMetadata metadata) {
        String model = metadata.text(MODEL).orElse(NONE.get(0));
        if (NONE.contains(model)) {
            return Optional.empty();
        }
        return Optional.of(new GgufVocabulary(
                file,
                model,
                metadata.text(PRE).orElse("default"),
                metadata.texts(TOKENS),
                metadata.floats(SCORES),
                metadata.integers(TYPES),
                metadata.texts(MERGES),
                metadata.integer(BOS),
                metadata.integer(EOS),
                metadata.integer(UNKNOWN),
                metadata.integer(PADDING),
                metadata.bool(ADD_BOS),
                metadata.bool(ADD_SPACE_PREFIX),
                metadata.text(CHAT_TEMPLATE)));
    }

    /** The special tokens that {@code config.json} names. */
    static Map<String, Integer> ids(GgufMetadata metadata) {
        Map<String, Integer> ids = new TreeMap<>();
        metadata.integer(BOS).ifPresent(id -> ids.put("bos_token_id", id));
        metadata.integer(EOS).ifPresent(id -> ids.put("eos_token_id", id));
        metadata.integer(PADDING).ifPresent(id -> ids.put("pad_token_id", id));
        return ids;
    }

    /**
     * Writes a tokenizer.
     *
     * @param size tokens that the model knows; those that the tokenizer lacks are filled up with unused ones
     */
    static void write(GgufVocabulary vocabulary, int size, GgufWriter writer) {
        if (vocabulary.tokens().size() > size) {
            throw new BadInputException(vocabulary.file() + ": has "
                    + vocabulary.tokens().size() + " tokens; wanted at most vocab_size, " + size);
        }
        GgufVocabulary padded = vocabulary.paddedTo(size);
        writer.text(MODEL, padded.model()).text(PRE, padded.pre()).texts(TOKENS, padded.tokens());
        if (padded.scores().length > 0) {
            writer.floats(SCORES, padded.scores());
        }
        writer.integers(TYPES, padded.types());
        if (!padded.merges().isEmpty()) {
            writer.texts(MERGES, padded.merges());
        }
        padded.bos().ifPresent(id -> writer.integer(BOS, id));
        padded.eos().ifPresent(id -> writer.integer(EOS, id));
        padded.unknown().ifPresent(id -> writer.integer(UNKNOWN, id));
        padded.padding().ifPresent(id -> writer.integer(PADDING, id));
        padded.addBos().ifPresent(value -> writer.bool(ADD_BOS, value));
        padded.addSpacePrefix().ifPresent(value -> writer.bool(ADD_SPACE_PREFIX, value));
        padded.chatTemplate().ifPresent(template -> writer.text(CHAT_TEMPLATE, template));
    }

    static void writeNone(GgufWriter writer) {
        writer.text(MODEL, NONE.get(0));
    }
}
