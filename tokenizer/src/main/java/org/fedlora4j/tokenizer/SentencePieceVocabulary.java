package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import org.fedlora4j.common.BadInputException;

/**
 * A vocabulary of SentencePiece's BPE kind (that of LLaMA 1 and 2), whatever file it comes from. Where it has bytes,
 * characters that it lacks become these; else they are unknown.
 *
 * @param source the file and field of the pieces, for messages
 * @param pieces in the order of their ids
 * @param spacePrefix whether a text gets a blank in front ({@code add_dummy_prefix})
 * @param opening the id that opens every text, if one does
 */
record SentencePieceVocabulary(String source, List<Piece> pieces, boolean spacePrefix, OptionalInt opening) {
    /** SentencePiece's trainer makes pieces of at most 16 characters. */
    private static final int MAX_PIECE_LENGTH = 256;
    /** A vocabulary of 256,000 pieces has some 600,000. */
    private static final int MAX_MERGES = 8_000_000;

    private static final String SKELETON = """
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
             "normalizer": {"type": "Sequence", "normalizers": [
               {"type": "Prepend", "prepend": "▁"},
               {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
             "pre_tokenizer": null,
             "post_processor": null,
             "decoder": {"type": "Sequence", "decoders": [
               {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
               {"type": "ByteFallback"},
               {"type": "Fuse"},
               {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
             "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
               "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": null, "vocab": {}, "merges": []}}""";

    /**
     * One piece.
     *
     * @param score pieces of higher score are merged first
     */
    record Piece(String text, float score, TokenType type) {}

    private record Merge(String left, String right, float score) {
        static final Comparator<Merge> ORDER = Comparator.comparingDouble(Merge::score)
                .thenComparingInt(merge -> length(merge.left))
                .thenComparingInt(merge -> length(merge.right))
                .reversed();

        private static int length(String text) {
            return text.codePointCount(0, text.length());
        }
    }

    SentencePieceVocabulary {
        for (int id = 0; id < pieces.size(); id++) {
            Piece piece = pieces.get(id);
            if (piece.text.isEmpty() || piece.text.length() > MAX_PIECE_LENGTH) {
                throw new BadInputException(source + " " + id + " has " + piece.text.length()
                        + " characters, wanted 1 to " + MAX_PIECE_LENGTH);
            }
            if (!Float.isFinite(piece.score)) {
                throw new BadInputException(
                        source + " " + id + " has the score " + piece.score + ", wanted a finite number");
            }
        }
    }

    /**
     * The {@code tokenizer.json} that transformers' converter for LLaMA makes ({@code convert_slow_tokenizer.py},
     * {@code LlamaConverter} with {@code legacy}), except that no text is ever merged into a piece that is not normal.
     */
    ObjectNode toJson() {
        var json = new TokenizerJson(SKELETON);
        Map<String, Integer> ids = json.addTokens(
                source,
                pieces.stream().map(Piece::text).toList(),
                id -> pieces.get(id).type());
        boolean byteFallback = pieces.stream().anyMatch(piece -> piece.type == TokenType.BYTE);
        if (byteFallback) {
            requireBytes(ids);
        }
        json.model().put("byte_fallback", byteFallback);
        merges().forEach(merge -> json.addMerge(merge.left, merge.right));
        pieces.stream()
                .filter(piece -> piece.type == TokenType.UNKNOWN)
                .findFirst()
                .ifPresent(piece -> json.model().put("unk_token", piece.text));
        json.openWith(opening, pieces.stream().map(Piece::text).toList());
        if (!spacePrefix) {
            ((ArrayNode) json.root().at("/normalizer/normalizers")).remove(0);
            ((ArrayNode) json.root().at("/decoder/decoders")).remove(3);
        }
        return json.root();
    }

    private void requireBytes(Map<String, Integer> ids) {
        for (int value = 0; value < 256; value++) {
            String name = String.format(Locale.ROOT, "<0x%02X>", value);
            Integer id = ids.get(name);
            if (id == null || pieces.get(id).type != TokenType.BYTE) {
                throw new BadInputException(source + " lack the byte " + name + ", wanted all 256 (byte fallback)");
            }
        }
    }

    /** Every way to put a piece together from two others, the most wanted first. */
    private List<Merge> merges() {
        Map<String, Float> scores = new HashMap<>();
        List<Piece> normal =
                pieces.stream().filter(piece -> piece.type == TokenType.NORMAL).toList();
        normal.forEach(piece -> scores.put(piece.text, piece.score));
        List<Merge> merges = new ArrayList<>();
        for (Piece piece : normal) {
            String text = piece.text;
            for (int cut = text.offsetByCodePoints(0, 1); cut < text.length(); cut = text.offsetByCodePoints(cut, 1)) {
                String left = text.substring(0, cut);
                String right = text.substring(cut);
                if (scores.containsKey(left) && scores.containsKey(right)) {
                    merges.add(new Merge(left, right, piece.score));
                }
            }
            if (merges.size() > MAX_MERGES) {
                throw new BadInputException(source + " have more than " + MAX_MERGES + " merges, wanted fewer");
            }
        }
        merges.sort(Merge.ORDER);
        return merges;
    }
}
