package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.tokenizer.SentencePieceVocabulary.Piece;

/**
 * A vocabulary as a GGUF file's metadata carries it (github.com/ggml-org/ggml, {@code docs/gguf.md}, and llama.cpp's
 * {@code src/llama-vocab.cpp}); each component is the value of the key {@code tokenizer.ggml.…} named with it.
 *
 * @param file the GGUF file, for messages
 * @param model {@code model}: {@code llama} (SentencePiece) or {@code gpt2} (byte-level BPE)
 * @param pre {@code pre}: how gpt2's texts are split before merging; {@code default} where the file has none
 * @param tokens {@code tokens}, by id
 * @param scores {@code scores}, one a token; empty for gpt2
 * @param types {@code token_type}, one a token: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
 * @param merges {@code merges}: {@code "left right"}, the first before all others; empty for llama
 * @param bos {@code bos_token_id}
 * @param eos {@code eos_token_id}
 * @param unknown {@code unknown_token_id}
 * @param padding {@code padding_token_id}
 * @param addBos {@code add_bos_token}
 * @param addSpacePrefix {@code add_space_prefix}; read for llama only
 * @param chatTemplate {@code tokenizer.chat_template}
 */
public record GgufVocabulary(
        Path file,
        String model,
        String pre,
        List<String> tokens,
        float[] scores,
        int[] types,
        List<String> merges,
        OptionalInt bos,
        OptionalInt eos,
        OptionalInt unknown,
        OptionalInt padding,
        Optional<Boolean> addBos,
        Optional<Boolean> addSpacePrefix,
        Optional<String> chatTemplate) {

    /** What {@code convert_hf_to_gguf.py} gives tokens that are none. */
    private static final float UNUSED_SCORE = -10_000;

    /** @throws BadInputException if lengths differ, a type is none, or an id is not that of a token */
    public GgufVocabulary {
        tokens = List.copyOf(tokens);
        merges = List.copyOf(merges);
        require(file, types.length == tokens.size(), "token_type has " + types.length + " entries", tokens.size());
        for (int id = 0; id < types.length; id++) {
            require(file, TokenType.of(types[id]).isPresent(), "token_type " + id + " is " + types[id], "1 to 6");
        }
        requireId(file, "bos_token_id", bos, tokens);
        requireId(file, "eos_token_id", eos, tokens);
        requireId(file, "unknown_token_id", unknown, tokens);
        requireId(file, "padding_token_id", padding, tokens);
    }

    private static void requireId(Path file, String key, OptionalInt id, List<String> tokens) {
        id.ifPresent(value -> require(
                file,
                value >= 0 && value < tokens.size(),
                key + " is " + value,
                "the id of one of " + tokens.size() + " tokens"));
    }

    private static void require(Path file, boolean condition, String found, Object wanted) {
        if (!condition) {
            throw new BadInputException(file + ": tokenizer.ggml." + found + ", wanted " + wanted);
        }
    }

    /**
     * Reads what {@link #write} writes and the like: a model folder's {@code tokenizer.json} or {@code tokenizer.model},
     * and {@code tokenizer_config.json}, {@code config.json}, {@code chat_template.jinja} as far as they are there.
     *
     * @return empty if the folder has no tokenizer
     * @throws BadInputException if a file is broken, or the tokenizer is of a kind that GGUF has no name for
     */
    public static Optional<GgufVocabulary> read(Path folder) throws IOException {
        return GgufVocabularyReader.read(folder);
    }

    /** The vocabulary with unused tokens after its own, as many as make {@code size}; llama.cpp wants a token for every id. */
    public GgufVocabulary paddedTo(int size) {
        List<String> paddedTokens = new ArrayList<>(tokens);
        int[] paddedTypes = Arrays.copyOf(types, size);
        float[] paddedScores = model.equals("llama") ? Arrays.copyOf(scores, size) : scores;
        for (int id = tokens.size(); id < size; id++) {
            paddedTokens.add("[PAD" + id + "]");
            paddedTypes[id] = TokenType.UNUSED.number();
            if (id < paddedScores.length) {
                paddedScores[id] = UNUSED_SCORE;
            }
        }
        return new GgufVocabulary(
                file,
                model,
                pre,
                paddedTokens,
                paddedScores,
                paddedTypes,
                merges,
                bos,
                eos,
                unknown,
                padding,
                addBos,
                addSpacePrefix,
                chatTemplate);
    }

    /**
     * Writes {@code tokenizer.json}, {@code tokenizer_config.json} and, where there is a chat template,
     * {@code chat_template.jinja}, for {@link Tokenizer#open} and for transformers.
     *
     * @param folder exists
     * @throws BadInputException if the vocabulary is of another kind than those supported, or contradicts itself
     */
    public void write(Path folder) throws IOException {
        ObjectNode tokenizer = switch (model) {
            case "llama" -> sentencePiece();
            case "gpt2" -> byteLevel();
            default ->
                throw new BadInputException(
                        file + ": tokenizer.ggml.model is " + JsonFile.quote(model) + ", wanted llama or gpt2");
        };
        AtomicFiles.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
        AtomicFiles.writeString(
                folder.resolve("tokenizer_config.json"), configuration().toPrettyString());
        if (chatTemplate.isPresent()) {
            AtomicFiles.writeString(folder.resolve("chat_template.jinja"), chatTemplate.get());
        }
    }

    private TokenType type(int id) {
        return TokenType.of(types[id]).orElseThrow();
    }

    private boolean opensWithBos() {
        boolean usual = model.equals("llama") || ByteLevel.of(file, pre).addsBos();
        return bos.isPresent() && addBos.orElse(usual);
    }

    private OptionalInt opening() {
        return opensWithBos() ? bos : OptionalInt.empty();
    }

    private ObjectNode sentencePiece() {
        require(file, scores.length == tokens.size(), "scores has " + scores.length + " entries", tokens.size());
        List<Piece> pieces = IntStream.range(0, tokens.size())
                .mapToObj(id -> new Piece(tokens.get(id), scores[id], type(id)))
                .toList();
        return new SentencePieceVocabulary(
                        file + ": tokenizer.ggml.tokens", pieces, addSpacePrefix.orElse(true), opening())
                .toJson();
    }

    private ObjectNode byteLevel() {
        TokenizerJson json = ByteLevel.of(file, pre).skeleton();
        Map<String, Integer> ids = json.addTokens(file + ": tokenizer.ggml.tokens", tokens, this::type);
        for (int i = 0; i < merges.size(); i++) {
            String merge = merges.get(i);
            int blank = merge.indexOf(' ');
            String left = merge.substring(0, Math.max(0, blank));
            String right = merge.substring(blank + 1);
            require(
                    file,
                    ids.containsKey(left) && ids.containsKey(right) && ids.containsKey(left + right),
                    "merges " + i + " is " + JsonFile.quote(merge),
                    "two tokens, with a blank between them, that make a third");
            json.addMerge(left, right);
        }
        json.openWith(opening(), tokens);
        return json.root();
    }

    private ObjectNode configuration() {
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        config.put("add_bos_token", opensWithBos());
        bos.ifPresent(id -> config.put("bos_token", tokens.get(id)));
        config.put("clean_up_tokenization_spaces", false);
        eos.ifPresent(id -> config.put("eos_token", tokens.get(id)));
        padding.ifPresent(id -> config.put("pad_token", tokens.get(id)));
        // transformers takes tokenizer.json as it is only for this class.
        config.put("tokenizer_class", "PreTrainedTokenizerFast");
        unknown.ifPresent(id -> config.put("unk_token", tokens.get(id)));
        return config;
    }
}
