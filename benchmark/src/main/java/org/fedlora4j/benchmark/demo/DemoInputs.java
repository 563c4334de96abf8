package org.fedlora4j.benchmark.demo;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.common.AtomicFiles;

/**
 * What the demo starts from, as files: the embedded model, and what its six clients know.
 *
 * @param folder that holds them
 */
public record DemoInputs(Path folder) {
    private static final JsonMapper JSON = new JsonMapper();
    private static final long SEED = 1;

    /** The base model's folder. */
    public Path model() {
        return folder.resolve("model");
    }

    /** The clients' records, one a line; the category is the client. */
    public Path records() {
        return folder.resolve("clients.jsonl");
    }

    /** Writes what isn't there yet. */
    public void write() throws IOException {
        if (!Files.exists(model())) {
            DemoModel.unpack(model());
        }
        if (!Files.exists(records())) {
            List<String> lines = new ArrayList<>();
            for (InstructionRecord record : clients()) {
                lines.add(JSON.writeValueAsString(JSON.createObjectNode()
                        .put("instruction", record.instruction())
                        .put("context", record.input())
                        .put("response", record.response())
                        .put("category", record.category())));
            }
            AtomicFiles.writeString(records(), String.join("\n", lines) + "\n");
        }
    }

    static List<InstructionRecord> clients() {
        return DemoText.clients(SEED);
    }
}
