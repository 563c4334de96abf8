package org.fedlora4j.tests;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.fedlora4j.benchmark.demo.Demo;

/** The demo's model, whose tokens are bytes. */
final class DemoCheckpoint {
    private DemoCheckpoint() {}

    /** Writes it into a folder, which is created. */
    static Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            try (InputStream in = Objects.requireNonNull(Demo.class.getResourceAsStream("/demo/model/" + file))) {
                Files.copy(in, folder.resolve(file));
            }
        }
        return folder;
    }
}
