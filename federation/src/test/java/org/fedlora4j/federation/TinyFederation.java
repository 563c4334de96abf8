package org.fedlora4j.federation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.SafetensorsWriter;

/**
 * A federation small enough for hundreds of steps a second, for the tests of all engines: a model of random weights, a
 * recipe of two steps a phase, clients of a few random tokens.
 */
public final class TinyFederation {
    public static final LlamaConfig MODEL =
            new LlamaConfig(60, 32, 48, 2, 4, 2, 8, 1e-6, 10_000, new RopeScaling.None(), true, 128);

    private TinyFederation() {}

    /** What a run came to. */
    public record Models(AdapterState global, SortedMap<String, AdapterState> personal) {
        public static Models of(Federation federation) {
            SortedMap<String, AdapterState> personal = new TreeMap<>();
            federation.clientIds().forEach(id -> personal.put(id, federation.personal(id)));
            return new Models(federation.global(), personal);
        }
    }

    /** Writes the model's checkpoint into {@code folder}, which is returned. */
    public static Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        MODEL.write(folder.resolve("config.json"));
        SafetensorsWriter writer = new SafetensorsWriter();
        Random random = new Random(3);
        ParameterNames.of(MODEL).forEach(parameter -> {
            long[] shape = parameter.role().shape(MODEL);
            boolean norm = shape.length == 1;
            float[] values = new float[(int) (shape[0] * (norm ? 1 : shape[1]))];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (norm ? 1 : 0.2 * random.nextGaussian());
            }
            writer.floats(parameter.name(), shape, values);
        });
        writer.write(folder.resolve("model.safetensors"));
        return folder;
    }

    /** Writes the model's checkpoint into {@code folder} and opens it. */
    public static LanguageModel open(Path folder) throws IOException {
        return LanguageModel.open(write(folder));
    }

    /** Two rounds of {@code fedlora-optimizer} after one of warm-up, whose clients adapt with what they keep, too. */
    public static Federation.Settings settings(double participation) throws IOException {
        Recipe recipe = Runs.recipe("fedlora-optimizer");
        return new Federation.Settings(
                Runs.LORA,
                Runs.of(recipe, 1, recipe.warmUp(), recipe.round(), Set.of("adapt", "magnitude")),
                2,
                Runs.BATCH,
                Runs.WINDOW,
                Runs.PADDING,
                Runs.SEED,
                participation);
    }

    /** A client with examples of {@code shortest} to {@code shortest + 6} tokens. */
    public static ClientData client(String id, int examples, int shortest, long seed) {
        List<Example> list = new ArrayList<>();
        for (int i = 0; i < examples; i++) {
            list.add(example(new Random(seed + i), shortest));
        }
        return new ClientData(id, list);
    }

    /** Random tokens, of which the first two are no targets. */
    static Example example(Random random, int shortest) {
        int[] ids = random.ints(shortest + random.nextInt(7), 1, MODEL.vocabularySize())
                .toArray();
        int[] labels = ids.clone();
        labels[0] = -100;
        labels[1] = -100;
        return new Example(ids, labels);
    }

    /** A run in this process. */
    public static Models run(
            LanguageModel model, Federation.Settings settings, List<ClientData> clients, RunListener listener)
            throws IOException {
        try (Federation federation = new Federation(model, settings, clients)) {
            federation.run(listener);
            return Models.of(federation);
        }
    }

    /** A global model that has left its start, so that it has directions. */
    public static SharedParts trained(Federation.Settings settings) {
        SharedParts initial = settings.initial(MODEL);
        Random random = new Random(4);
        PartValues b = copy(initial.values(Set.of(Part.B)));
        b.forEach((place, value) -> {
            for (int i = 0; i < value.values().length; i++) {
                value.values()[i] = 0.01f * (float) random.nextGaussian();
            }
        });
        return initial.with(b);
    }

    /** Values of their own, a little off. */
    public static PartValues moved(PartValues values, long seed) {
        Random random = new Random(seed);
        PartValues moved = copy(values);
        moved.forEach((place, value) -> {
            for (int i = 0; i < value.values().length; i++) {
                value.values()[i] += 0.001f * random.nextFloat();
            }
        });
        return moved;
    }

    public static PartValues copy(PartValues values) {
        return values.map((place, value) -> value.copy());
    }
}
