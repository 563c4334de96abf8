package org.fedlora4j.benchmark.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.fedlora4j.common.AtomicFiles;

/** The base model that this module carries, as {@link PretrainDemoModel} made it: a LLaMA of 430,000 parameters. */
public final class DemoModel {
    private static final List<String> FILES =
            List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json");

    private DemoModel() {}

    /** Writes the model's folder, which must not exist but its parent must, and which is returned. */
    public static Path unpack(Path folder) throws IOException {
        AtomicFiles.writeFolder(folder, temporary -> {
            for (String file : FILES) {
                try (InputStream in = resource("model/" + file)) {
                    Files.copy(in, temporary.resolve(file));
                }
            }
        });
        return folder;
    }

    /** Opens one of the demo's resources. */
    static InputStream resource(String name) {
        return Objects.requireNonNull(DemoModel.class.getResourceAsStream("/demo/" + name), name);
    }
}
