package org.fedlora4j.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.fedlora4j.benchmark.demo.Demo;

/** The demo's model, whose tokens are bytes; it knows nothing but writes something. */
final class DemoModelFolder {
    private DemoModelFolder() {}

    /** Writes the model's folder. */
    static Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            try (InputStream in = Objects.requireNonNull(Demo.class.getResourceAsStream("/demo/model/" + file))) {
                Files.copy(in, folder.resolve(file));
            }
        }
        return folder;
    }

    /** The same for conversations, in TinyLlama's template. */
    static Path writeForChat(Path folder) throws IOException {
        write(folder);
        Files.writeString(folder.resolve("chat_template.jinja"), "{{ '<|user|>' }}");
        return folder;
    }
}
