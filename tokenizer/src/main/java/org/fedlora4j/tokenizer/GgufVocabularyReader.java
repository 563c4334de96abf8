package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.tokenizer.SentencePieceVocabulary.Piece;

/**
 * Makes a model folder's tokenizer into what GGUF's metadata says of it, as llama.cpp's {@code convert_hf_to_gguf.py}
 * does: the inverse of {@link GgufVocabulary#write}.
 */
final class GgufVocabularyReader {
    /** What {@code convert_hf_to_gguf.py} gives tokens that were added to a SentencePiece vocabulary. */
    private static final float ADDED_SCORE = -1000;

    private static final String BLANK = "▁";

    /** By the pair's left part, then its right one. */
    private static final Comparator<String[]> LONGER_FIRST =
            Comparator.comparingInt((String[] pair) -> -length(pair[0])).thenComparingInt(pair -> -length(pair[1]));

    private final Path folder;
    private final Path file;
    private final ObjectNode root;
    private final TokenizerFile tokenizer;
    private final List<String> tokens;
    private final SpecialTokens.Reader roles;

    private GgufVocabularyReader(Path folder, Path file, ObjectNode root, Map<String, Integer> ownRoles)
            throws IOException {
        this.folder = folder;
        this.file = file;
        this.root = root;
        this.tokenizer = TokenizerFile.of(file, root.deepCopy());
        this.tokens = inOrder(tokenizer.ids());
        this.roles = SpecialTokens.reader(folder, tokenizer.ids(), ownRoles);
    }

    static Optional<GgufVocabulary> read(Path folder) throws IOException {
        Path json = folder.resolve("tokenizer.json");
        if (Files.exists(json)) {
            return Optional.of(new GgufVocabularyReader(folder, json, JsonFile.read(json), Map.of()).vocabulary());
        }
        Path sentencePiece = folder.resolve("tokenizer.model");
        if (Files.exists(sentencePiece)) {
            SentencePieceModel model = SentencePieceModel.read(sentencePiece);
            ObjectNode root = model.vocabulary().toJson();
            return Optional.of(new GgufVocabularyReader(folder, sentencePiece, root, model.roles()).vocabulary());
        }
        return Optional.empty();
    }

    private GgufVocabulary vocabulary() throws IOException {
        Optional<String> pre = ByteLevel.nameOf(root);
        if (pre.isPresent()) {
            return vocabulary("gpt2", pre.get(), new float[0], types(false), texts(merges()), Optional.empty());
        }
        Optional<Boolean> spacePrefix = spacePrefix();
        if (spacePrefix.isEmpty()) {
            throw new BadInputException(
                    file + ": normalizer and pre_tokenizer are of no kind that GGUF has a name for, "
                            + "wanted LLaMA 2's or one of " + ByteLevel.names());
        }
        int[] types = types(true);
        float[] scores = new float[types.length];
        Path sentencePiece = folder.resolve("tokenizer.model");
        if (Files.exists(sentencePiece)) {
            Arrays.fill(scores, ADDED_SCORE);
            takePieces(sentencePiece, types, scores);
        } else {
            scoreByMerges(scores);
        }
        return vocabulary("llama", "default", scores, types, List.of(), spacePrefix);
    }

    private GgufVocabulary vocabulary(
            String model, String pre, float[] scores, int[] types, List<String> merges, Optional<Boolean> spacePrefix)
            throws IOException {
        OptionalInt bos = roles.id("bos");
        boolean opens = roles.addBos()
                .orElseGet(() -> tokenizer
                        .opening()
                        .map(tokenizer.ids()::get)
                        .map(id -> bos.equals(OptionalInt.of(id)))
                        .orElse(false));
        return new GgufVocabulary(
                file,
                model,
                pre,
                tokens,
                scores,
                types,
                merges,
                bos,
                roles.id("eos"),
                roles.id("unk"),
                roles.id("pad"),
                Optional.of(opens),
                spacePrefix,
                chatTemplate());
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    private List<String> inOrder(Map<String, Integer> ids) {
        String[] byId = new String[ids.size()];
        ids.forEach((token, id) -> {
            if (id >= byId.length || byId[id] != null) {
                throw new BadInputException(file + ": " + JsonFile.quote(token) + " has the id " + id
                        + ", wanted ids without gaps, each once");
            }
            byId[id] = token;
        });
        return Arrays.asList(byId);
    }

    private int[] types(boolean sentencePiece) {
        int[] types = new int[tokens.size()];
        for (int id = 0; id < types.length; id++) {
            boolean isByte = sentencePiece && tokens.get(id).matches("<0x[0-9A-F]{2}>");
            types[id] = (isByte ? TokenType.BYTE : TokenType.NORMAL).number();
        }
        String unknown = root.path("model").path("unk_token").asText();
        for (JsonNode token : root.path("added_tokens")) {
            String content = token.get("content").textValue();
            TokenType type = !token.path("special").asBoolean()
                    ? TokenType.USER_DEFINED
                    : sentencePiece && content.equals(unknown) ? TokenType.UNKNOWN : TokenType.CONTROL;
            types[Objects.requireNonNull(tokenizer.ids().get(content))] = type.number();
        }
        return types;
    }

    private List<String[]> merges() {
        List<String[]> merges = new ArrayList<>();
        root.path("model").path("merges").forEach(merge -> merges.add(TokenizerFile.parts(merge)));
        return merges;
    }

    private static List<String> texts(List<String[]> merges) {
        return merges.stream().map(parts -> parts[0] + " " + parts[1]).toList();
    }

    /** Whether a text gets a blank in front; empty if this is no SentencePiece vocabulary of LLaMA's kind. */
    private Optional<Boolean> spacePrefix() {
        JsonNode normalizer = root.path("normalizer");
        JsonNode pre = root.path("pre_tokenizer");
        if (pre.path("type").asText().equals("Metaspace")
                && pre.path("replacement").asText().equals(BLANK)
                && !pre.path("split").asBoolean(true)
                && normalizer.isNull()) {
            return Optional.of(!pre.path("prepend_scheme").asText().equals("never"));
        }
        JsonNode parts = normalizer.path("normalizers");
        boolean prepends = parts.path(0).path("prepend").asText().equals(BLANK);
        JsonNode replaces = parts.path(prepends ? 1 : 0);
        boolean known = parts.size() == (prepends ? 2 : 1)
                && replaces.at("/pattern/String").asText().equals(" ")
                && replaces.path("content").asText().equals(BLANK)
                && !pre.isContainerNode();
        return known ? Optional.of(prepends) : Optional.empty();
    }

    /** Types and scores of {@code tokenizer.model}, which says more than {@code tokenizer.json}. */
    private void takePieces(Path sentencePiece, int[] types, float[] scores) throws IOException {
        List<Piece> pieces = SentencePieceModel.read(sentencePiece).vocabulary().pieces();
        for (int id = 0; id < pieces.size(); id++) {
            Piece piece = pieces.get(id);
            if (id >= scores.length || !piece.text().equals(tokens.get(id))) {
                throw new BadInputException(sentencePiece + ": piece " + id + " is " + JsonFile.quote(piece.text())
                        + ", wanted the token of this id in " + file);
            }
            types[id] = piece.type().number();
            scores[id] = piece.score();
        }
    }

    /**
     * SentencePiece merges the pair whose piece has the highest score; so pieces get lower ones in the order of the
     * merges. Where merges of several pieces alternate, these had the same score and longer pairs came first. Pieces that
     * no merge makes get the lowest score, like single characters.
     */
    private void scoreByMerges(float[] scores) {
        List<String[]> merges = merges();
        Map<String, Integer> last = new HashMap<>();
        for (int i = 0; i < merges.size(); i++) {
            last.put(String.join("", merges.get(i)), i);
        }
        Map<String, Integer> ranks = new HashMap<>();
        int rank = -1;
        int end = -1;
        for (int i = 0; i < merges.size(); i++) {
            String piece = String.join("", merges.get(i));
            if (i > end) {
                rank++;
            } else if (!piece.equals(String.join("", merges.get(i - 1)))
                    && LONGER_FIRST.compare(merges.get(i - 1), merges.get(i)) > 0) {
                throw new BadInputException(file + ": model.merges " + i + " makes " + JsonFile.quote(piece)
                        + " between those of another piece, wanted an order that scores of pieces give");
            }
            ranks.put(piece, rank);
            end = Math.max(end, last.getOrDefault(piece, i));
        }
        for (int id = 0; id < scores.length; id++) {
            scores[id] = -ranks.getOrDefault(tokens.get(id), rank + 1);
        }
    }

    private Optional<String> chatTemplate() throws IOException {
        Path jinja = folder.resolve("chat_template.jinja");
        if (Files.exists(jinja)) {
            try {
                return Optional.of(Files.readString(jinja));
            } catch (CharacterCodingException e) {
                throw new BadInputException(jinja + ": not UTF-8, wanted a chat template", e);
            }
        }
        return Optional.of(roles.tokenizerConfig().path("chat_template"))
                .filter(JsonNode::isTextual)
                .map(JsonNode::textValue);
    }
}
