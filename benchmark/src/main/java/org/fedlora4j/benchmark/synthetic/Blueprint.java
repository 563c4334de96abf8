package org.fedlora4j.benchmark.synthetic;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.JsonFields;
import org.fedlora4j.model.weights.ElementType;

/**
 * What a made-up checkpoint is like: all of a real one but its weights.
 *
 * @param name as the user calls it
 * @param type of the weights
 * @param rotaryBuffers whether each layer has its rotary embedding's frequencies stored, as transformers did until 4.31
 * @param files contents of the files beside the weights, by name; {@code config.json} at least
 */
record Blueprint(String name, ElementType type, boolean rotaryBuffers, Map<String, byte[]> files) {
    private static final String LLAMA2 = "llama2-7b";
    private static final String DEEPSEEK = "deepseek-llm-7b-base";
    static final String CONFIG = "config.json";
    private static final String GENERATION = "generation_config.json";
    private static final List<String> TOKENIZER = List.of("tokenizer.json", "tokenizer.model", "tokenizer_config.json");

    /** The models that are known by name, and the folders of their tokenizers. */
    private static final Map<String, String> KNOWN = Map.of(LLAMA2, "llama-2-7b", DEEPSEEK, "deepseek-llm-7b");

    Blueprint {
        files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
    }

    /**
     * Finds a model.
     *
     * @param model {@code llama2-7b} (meta-llama/Llama-2-7b-hf), {@code deepseek-llm-7b-base} (deepseek-ai's), or the folder
     *     of another one's {@code config.json}
     * @param tokenizers folder with one folder for each tokenizer of the models that are known by name
     */
    static Blueprint of(String model, Path tokenizers) throws IOException {
        String tokenizer = KNOWN.get(model);
        if (tokenizer == null) {
            return ofFolder(model);
        }
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (String file : List.of(CONFIG, GENERATION)) {
            try (InputStream in = Blueprint.class.getResourceAsStream(model + "/" + file)) {
                files.put(file, Objects.requireNonNull(in, file).readAllBytes());
            }
        }
        Path folder = tokenizers.resolve(tokenizer);
        if (!Files.isDirectory(folder)) {
            throw new BadInputException(folder + ": no such folder; wanted the tokenizer of " + model);
        }
        addFiles(folder, TOKENIZER, files);
        return of(model, model.equals(LLAMA2), files);
    }

    /** The model with fewer layers, or more. */
    Blueprint withLayers(int layers) {
        Map<String, byte[]> changed = new LinkedHashMap<>(files);
        String config = new String(config(files), StandardCharsets.UTF_8)
                .replaceFirst("(\"num_hidden_layers\"\\s*:\\s*)\\d+", "$1" + layers);
        changed.put(CONFIG, config.getBytes(StandardCharsets.UTF_8));
        return new Blueprint(name, type, rotaryBuffers, changed);
    }

    private static Blueprint ofFolder(String model) throws IOException {
        Path folder = Path.of(model);
        if (!Files.isRegularFile(folder.resolve(CONFIG))) {
            throw new BadInputException(
                    model + ": no such model; wanted " + LLAMA2 + ", " + DEEPSEEK + ", or a folder with a " + CONFIG);
        }
        Map<String, byte[]> files = new LinkedHashMap<>();
        addFiles(folder, List.of(CONFIG, GENERATION), files);
        addFiles(folder, TOKENIZER, files);
        return of(model, false, files);
    }

    private static Blueprint of(String model, boolean rotaryBuffers, Map<String, byte[]> files) {
        JsonFields config = JsonFields.parse(model + "/" + CONFIG, config(files));
        String field = config.has("dtype") ? "dtype" : "torch_dtype";
        ElementType type = switch (config.text(field)) {
            case "float16" -> ElementType.F16;
            case "bfloat16" -> ElementType.BF16;
            default -> throw config.wrong(field, "float16 or bfloat16");
        };
        return new Blueprint(model, type, rotaryBuffers, files);
    }

    private static byte[] config(Map<String, byte[]> files) {
        return Objects.requireNonNull(files.get(CONFIG), CONFIG);
    }

    private static void addFiles(Path folder, List<String> names, Map<String, byte[]> files) throws IOException {
        for (String name : names) {
            Path file = folder.resolve(name);
            if (Files.isRegularFile(file)) {
                files.put(name, Files.readAllBytes(file));
            }
        }
    }
}
