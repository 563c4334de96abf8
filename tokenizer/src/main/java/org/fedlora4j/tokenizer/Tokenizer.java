package org.fedlora4j.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.fedlora4j.common.BadInputException;

/**
 * A model's own tokenizer: Hugging Face's tokenizers library (Rust, through DJL) on the model's {@code tokenizer.json}, or on what
 * its {@code tokenizer.model} (SentencePiece) becomes.
 *
 * <p>Nothing is ever truncated or padded, and nothing is ever downloaded: the native library comes from DJL's jar.
 *
 * <p>Text is only text: {@code </s>} inside a text becomes the tokens of these four characters and not the special
 * token, unlike in Hugging Face's default; only {@link #encodeWithSpecialTokens} looks for special tokens.
 */
public final class Tokenizer implements AutoCloseable {
    static {
        // Before DJL's classes load: no download of native libraries, no telemetry.
        System.setProperty("ai.djl.offline", "true");
    }

    private final HuggingFaceTokenizer library;
    private final SpecialTokens tokens;
    private final Map<String, Integer> special;
    private final Pattern specialPattern;
    private final BitSet skipped = new BitSet();
    private final int[] opening;
    private final int vocabularySize;

    private Tokenizer(HuggingFaceTokenizer library, SpecialTokens tokens, TokenizerFile file) {
        this.library = library;
        this.tokens = tokens;
        special = file.special();
        // The longest of two that start alike; (?!) matches nowhere.
        specialPattern = Pattern.compile(special.keySet().stream()
                .filter(token -> !token.isEmpty())
                .sorted(Comparator.comparing(String::length).reversed())
                .map(token -> "|" + Pattern.quote(token))
                .collect(Collectors.joining("", "(?!)", "")));
        special.values().forEach(skipped::set);
        tokens.bos().ifPresent(skipped::set);
        skipped.set(tokens.eos());
        skipped.set(tokens.pad());
        opening = tokens.addBos().orElseGet(() -> templateOpensWithBos(file))
                ? tokens.bos().stream().toArray()
                : new int[0];
        vocabularySize = file.vocabularySize();
    }

    /**
     * Opens a model folder's tokenizer.
     *
     * @param modelFolder holds {@code tokenizer.json}, else {@code tokenizer.model}; the bos, eos and pad tokens are
     *     those of {@code tokenizer_config.json}, else of {@code config.json}, else of {@code tokenizer.model}
     * @throws BadInputException if a file is missing or broken, the tokenizer isn't of the BPE kind (all LLaMAs' are),
     *     or no eos token is defined
     */
    public static Tokenizer open(Path modelFolder) throws IOException {
        Path json = modelFolder.resolve("tokenizer.json");
        if (Files.exists(json)) {
            return open(modelFolder, TokenizerFile.of(json, JsonFile.read(json)), Map.of());
        }
        Path sentencePiece = modelFolder.resolve("tokenizer.model");
        if (Files.exists(sentencePiece)) {
            var model = SentencePieceModel.read(sentencePiece);
            var file = TokenizerFile.of(sentencePiece, model.vocabulary().toJson());
            return open(modelFolder, file, model.roles());
        }
        throw new BadInputException(modelFolder + ": neither tokenizer.json nor tokenizer.model, wanted one of them");
    }

    private static Tokenizer open(Path modelFolder, TokenizerFile file, Map<String, Integer> ownRoles)
            throws IOException {
        SpecialTokens tokens = SpecialTokens.read(modelFolder, file.ids(), ownRoles);
        return new Tokenizer(load(file), tokens, file);
    }

    private static HuggingFaceTokenizer load(TokenizerFile file) throws IOException {
        var json = new ByteArrayInputStream(file.json().getBytes(StandardCharsets.UTF_8));
        var options = Map.of("truncation", "false", "padding", "false");
        try {
            return HuggingFaceTokenizer.newInstance(json, options);
        } catch (RuntimeException e) {
            // The Rust library's errors arrive as plain RuntimeExceptions; any other class is no fault of the file.
            if (e.getClass() != RuntimeException.class) {
                throw e;
            }
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new BadInputException(file.source() + ": refused by the tokenizers library: " + reason, e);
        }
    }

    private boolean templateOpensWithBos(TokenizerFile file) {
        Integer opening = file.opening().map(file.ids()::get).orElse(null);
        return opening != null && tokens.bos().equals(OptionalInt.of(opening));
    }

    /** The ids of a text that may come from anywhere: no special token is added or recognised. */
    public int[] encode(String text) {
        return Arrays.stream(library.encode(text, false, false).getIds())
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    /**
     * The ids of a text that the program wrote, as a chat template does: special tokens in it are recognised, and it
     * starts with {@link #opening}, written in the text or not. No eos is added, so that the model can continue it. Blanks
     * around special tokens are kept ({@code lstrip} and {@code rstrip}, unknown among LLaMAs, have no effect).
     */
    public int[] encodeWithSpecialTokens(String text) {
        return encodeWithSpecialTokens(List.of(new Piece(text, true)));
    }

    /** The same for a text of which the program wrote some pieces only. */
    int[] encodeWithSpecialTokens(List<Piece> pieces) {
        IntStream.Builder ids = IntStream.builder();
        StringBuilder plain = new StringBuilder();
        for (Piece piece : pieces) {
            int done = 0;
            Matcher token = specialPattern.matcher(piece.text);
            while (piece.written && token.find()) {
                plain.append(piece.text, done, token.start());
                Arrays.stream(encode(plain.toString())).forEach(ids);
                plain.setLength(0);
                ids.add(Objects.requireNonNull(special.get(token.group())));
                done = token.end();
            }
            plain.append(piece.text, done, piece.text.length());
        }
        Arrays.stream(encode(plain.toString())).forEach(ids);
        int[] all = ids.build().toArray();
        boolean opened = Arrays.equals(Arrays.copyOf(all, opening.length), opening);
        return opened
                ? all
                : IntStream.concat(Arrays.stream(opening), Arrays.stream(all)).toArray();
    }

    /**
     * A piece of a text.
     *
     * @param written whether the program wrote it, so that special tokens in it are meant
     */
    record Piece(String text, boolean written) {}

    /**
     * The text of some ids. Special tokens, and ids without a token (models pad their vocabulary), give no text; broken
     * UTF-8 gives U+FFFD.
     */
    public String decode(int[] ids) {
        return library.decode(Arrays.stream(ids)
                .filter(id -> id >= 0 && !skipped.get(id))
                .asLongStream()
                .toArray());
    }

    /**
     * What the model wants before every text: bos or nothing, by {@code add_bos_token} of {@code tokenizer_config.json},
     * else by the template in {@code tokenizer.json}.
     */
    public int[] opening() {
        return opening.clone();
    }

    /** The token that opens a sequence, if the model has one. */
    public OptionalInt bosId() {
        return tokens.bos();
    }

    /** The token that ends a response. */
    public int eosId() {
        return tokens.eos();
    }

    /** All tokens that end a generated text, {@link #eosId} among them. */
    public Set<Integer> endIds() {
        return tokens.ends();
    }

    /** The token to pad a batch with: the pad token, else eos. */
    public int padId() {
        return tokens.pad();
    }

    /** One more than the largest id; the model's own vocabulary may be larger. */
    public int vocabularySize() {
        return vocabularySize;
    }

    @Override
    public void close() {
        library.close();
    }
}
