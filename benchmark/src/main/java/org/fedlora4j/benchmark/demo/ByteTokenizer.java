package org.fedlora4j.benchmark.demo;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import org.fedlora4j.common.AtomicFiles;

/**
 * A tokenizer whose tokens are the 256 bytes of UTF-8, id by value, and the beginning and end of a text: a byte-level
 * BPE without merges, which every library that reads {@code tokenizer.json} knows.
 */
final class ByteTokenizer {
    static final int BOS = 256;
    static final int EOS = 257;
    static final int VOCABULARY_SIZE = 258;

    private static final String BOS_TOKEN = "<s>";
    private static final String EOS_TOKEN = "</s>";
    private static final JsonMapper JSON = new JsonMapper();

    private ByteTokenizer() {}

    /** Writes {@code tokenizer.json} and {@code tokenizer_config.json} into a model's folder. */
    static void write(Path folder) throws IOException {
        AtomicFiles.writeString(folder.resolve("tokenizer.json"), tokenizer().toPrettyString() + "\n");
        ObjectNode config = JSON.createObjectNode();
        config.put("tokenizer_class", "PreTrainedTokenizerFast");
        config.put("bos_token", BOS_TOKEN).put("eos_token", EOS_TOKEN).put("pad_token", EOS_TOKEN);
        config.put("clean_up_tokenization_spaces", false);
        AtomicFiles.writeString(folder.resolve("tokenizer_config.json"), config.toPrettyString() + "\n");
    }

    private static ObjectNode tokenizer() {
        ObjectNode root = JSON.createObjectNode();
        root.put("version", "1.0").putNull("truncation").putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        addSpecial(added, BOS, BOS_TOKEN);
        addSpecial(added, EOS, EOS_TOKEN);
        root.putNull("normalizer");
        root.set("pre_tokenizer", byteLevel());
        ObjectNode opening = root.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = opening.putArray("single");
        single.addObject().putObject("SpecialToken").put("id", BOS_TOKEN).put("type_id", 0);
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        ArrayNode pair = opening.putArray("pair");
        pair.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        pair.addObject().putObject("Sequence").put("id", "B").put("type_id", 1);
        ObjectNode bos =
                opening.putObject("special_tokens").putObject(BOS_TOKEN).put("id", BOS_TOKEN);
        bos.putArray("ids").add(BOS);
        bos.putArray("tokens").add(BOS_TOKEN);
        root.set("decoder", byteLevel());
        ObjectNode model = root.putObject("model").put("type", "BPE");
        ObjectNode vocabulary = model.putObject("vocab");
        int spare = 256;
        for (int value = 0; value < 256; value++) {
            int letter = isPrintable(value) ? value : spare++;
            vocabulary.put(Character.toString(letter), value);
        }
        model.putArray("merges");
        return root;
    }

    /** GPT-2's alphabet of bytes: these stand for themselves, the others for the characters from U+0100 on. */
    private static boolean isPrintable(int value) {
        return (value >= '!' && value <= '~') || (value >= 0xA1 && value <= 0xFF && value != 0xAD);
    }

    private static ObjectNode byteLevel() {
        return JSON.createObjectNode()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", false)
                .put("use_regex", false);
    }

    private static void addSpecial(ArrayNode tokens, int id, String content) {
        tokens.addObject()
                .put("id", id)
                .put("content", content)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true);
    }
}
