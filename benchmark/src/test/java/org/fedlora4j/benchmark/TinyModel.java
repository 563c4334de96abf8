package org.fedlora4j.benchmark;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.SafetensorsWriter;

/** A checkpoint of random weights whose tokens are the printable characters of ASCII, the line feed, bos and eos. */
public final class TinyModel {
    static final int VOCABULARY_SIZE = 98;
    static final int MAX_POSITIONS = 512;
    private static final int BOS = 96;
    private static final int EOS = 97;

    private TinyModel() {}

    public static void write(Path folder) throws IOException {
        write(
                folder,
                new LlamaConfig(
                        VOCABULARY_SIZE,
                        32,
                        48,
                        2,
                        4,
                        2,
                        8,
                        1e-5,
                        10_000,
                        new RopeScaling.None(),
                        true,
                        MAX_POSITIONS));
    }

    /** A model of other sizes but with that vocabulary. */
    public static void write(Path folder, LlamaConfig config) throws IOException {
        Files.createDirectories(folder);
        config.write(folder.resolve("config.json"));
        Random random = new Random(1);
        SafetensorsWriter weights = new SafetensorsWriter();
        ParameterNames.of(config).forEach(parameter -> {
            long[] shape = parameter.role().shape(config);
            float[] values = new float[(int) (shape.length == 1 ? shape[0] : shape[0] * shape[1])];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (shape.length == 1 ? 1 : 0.2 * random.nextGaussian());
            }
            weights.floats(parameter.name(), shape, values);
        });
        weights.write(folder.resolve("model.safetensors"));
        writeTokenizer(folder, VOCABULARY_SIZE);
    }

    /** @param vocabularySize at least that of the model; what is beyond are more special tokens */
    static void writeTokenizer(Path folder, int vocabularySize) throws IOException {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("version", "1.0");
        var added = root.putArray("added_tokens");
        for (int id = BOS; id < vocabularySize; id++) {
            added.addObject()
                    .put("id", id)
                    .put("content", id == BOS ? "<s>" : id == EOS ? "</s>" : "<" + id + ">")
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        root.putObject("decoder").put("type", "Fuse");
        ObjectNode model = root.putObject("model").put("type", "BPE");
        ObjectNode vocabulary = model.putObject("vocab");
        vocabulary.put("\n", 0);
        for (char letter = ' '; letter <= '~'; letter++) {
            vocabulary.put(String.valueOf(letter), 1 + letter - ' ');
        }
        model.putArray("merges");
        Files.writeString(folder.resolve("tokenizer.json"), root.toPrettyString());
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"}");
    }
}
