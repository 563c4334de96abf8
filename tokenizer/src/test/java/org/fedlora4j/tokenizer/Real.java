package org.fedlora4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Real tokenizers and texts beside the repository. */
final class Real {
    static final Path SHARED = Path.of(System.getProperty("fedlora.shared"));
    static final Path LLAMA2 = SHARED.resolve("tokenizers/llama-2-7b");
    static final Path DEEPSEEK = SHARED.resolve("tokenizers/deepseek-llm-7b");
    static final Path SMOLLM2 = SHARED.resolve("models/smollm2-135m-instruct");

    private Real() {}

    /** A text and its ids. */
    record Golden(String text, int[] ids) {}

    /** 46 texts in llama.cpp's format: special characters, blanks, emojis, other scripts. */
    static List<Golden> golden(Path tokenizer) throws IOException {
        String[] texts = Files.readString(tokenizer.resolve("golden-texts.txt")).split("\n__ggml_vocab_test__\n");
        List<String> lines = Files.readAllLines(tokenizer.resolve("golden-ids.txt"));
        assertThat(texts).hasSameSizeAs(lines).hasSize(46);
        List<Golden> golden = new ArrayList<>();
        for (int i = 0; i < texts.length; i++) {
            int[] ids = Arrays.stream(lines.get(i).trim().split(" "))
                    .filter(id -> !id.isEmpty())
                    .mapToInt(Integer::parseInt)
                    .toArray();
            golden.add(new Golden(texts[i], ids));
        }
        return golden;
    }

    static List<String> goldenTexts() throws IOException {
        return Stream.concat(golden(LLAMA2).stream(), golden(DEEPSEEK).stream())
                .map(Golden::text)
                .distinct()
                .toList();
    }

    /** The instructions of the first 200 records of Dolly. */
    static List<String> instructions() throws IOException {
        var mapper = new ObjectMapper();
        try (Stream<String> lines = Files.lines(SHARED.resolve("data/dolly/databricks-dolly-15k.jsonl"))) {
            List<String> instructions = new ArrayList<>();
            for (String line : lines.limit(200).toList()) {
                instructions.add(mapper.readTree(line).get("instruction").textValue());
            }
            assertThat(instructions).hasSize(200);
            return instructions;
        }
    }

    static void assertEncodes(Tokenizer tokenizer, List<Golden> golden) {
        for (Golden wanted : golden) {
            assertThat(tokenizer.encode(wanted.text)).as(wanted.text).isEqualTo(wanted.ids);
            assertThat(tokenizer.decode(wanted.ids)).isEqualTo(wanted.text);
        }
    }
}
