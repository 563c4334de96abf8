package org.fedlora4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import org.fedlora4j.benchmark.data.InstructionData;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Example;
import org.fedlora4j.spark.ClientSource;
import org.fedlora4j.tokenizer.EncodedExample;
import org.fedlora4j.tokenizer.InstructionEncoder;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.fedlora4j.tokenizer.Tokenizer;

/**
 * Clients that have a task of Natural Instructions each. Where there are more clients than tasks, several have the same one,
 * and other examples of it.
 *
 * @param data the folder of the tasks
 * @param model the folder of the model, for its tokenizer
 * @param count of clients
 */
record TaskClients(String data, String model, int count) implements ClientSource {
    /** What is drawn of a task, and what of an input is kept, its end, for a model that reads byte by byte. */
    private static final int EXAMPLES = 16;

    private static final int INPUT_LETTERS = 60;
    private static final int MAX_TOKENS = 112;

    int tasks() throws IOException {
        return files().size();
    }

    /** Numbers, so that all have the same length. */
    @Override
    public SortedSet<String> clientIds() {
        SortedSet<String> ids = new TreeSet<>();
        for (int n = 0; n < count; n++) {
            ids.add(String.format(Locale.ROOT, "client-%05d", n));
        }
        return ids;
    }

    @Override
    public ClientData client(String id) throws IOException {
        int number = Integer.parseInt(id.substring(id.indexOf('-') + 1));
        List<Path> files = files();
        List<InstructionRecord> records = new ArrayList<>(InstructionData.read(files.get(number % files.size())));
        Collections.shuffle(records, new Random(number));
        try (Tokenizer tokenizer = Tokenizer.open(Path.of(model))) {
            InstructionEncoder encoder = new InstructionEncoder(tokenizer, PromptTemplate.SHORT, MAX_TOKENS);
            List<Example> examples = records.stream()
                    .limit(EXAMPLES)
                    .map(record -> example(encoder, record))
                    .toList();
            return new ClientData(id, examples);
        }
    }

    private List<Path> files() throws IOException {
        List<Path> files = InstructionData.tasks(Path.of(data));
        if (files.isEmpty()) {
            throw new BadInputException(data + ": no tasks of Natural Instructions (task*.json), wanted at least one");
        }
        return files;
    }

    private static Example example(InstructionEncoder encoder, InstructionRecord record) {
        String input = record.input();
        String end = input.substring(Math.max(0, input.length() - INPUT_LETTERS));
        EncodedExample encoded = encoder.encode(end, "", record.response());
        return new Example(encoded.ids(), encoded.labels());
    }
}
