package org.fedlora4j.grpc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Example;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.Phase;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.SafetensorsWriter;

/** A run of a second: a model of random weights, a recipe of two steps a phase, clients of a few random tokens. */
final class TinyRun {
    static final int ROUNDS = 2;
    static final LlamaConfig MODEL =
            new LlamaConfig(60, 32, 48, 2, 4, 2, 8, 1e-6, 10_000, new RopeScaling.None(), true, 128);

    private TinyRun() {}

    /** What a run came to. */
    record Models(AdapterState global, SortedMap<String, AdapterState> own) {}

    static LanguageModel model(Path folder) throws IOException {
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
        return LanguageModel.open(folder);
    }

    static Federation.Settings settings(double participation) throws IOException {
        Recipe recipe = RecipeFile.load("fedlora-optimizer");
        Recipe shortened = new Recipe(
                recipe.name(),
                1,
                shortened(recipe.warmUp()),
                shortened(recipe.round()),
                List.of(),
                false,
                recipe.magnitudeAxis(),
                recipe.magnitudeStep(),
                Set.of("adapt", "magnitude"));
        return new Federation.Settings(
                LoraConfig.of(2, 4, "q_proj", "v_proj"), shortened, ROUNDS, 2, 2, 0, 11, participation);
    }

    static RunOffer offer(double participation) throws IOException {
        return new RunOffer("0123456789abcdef", settings(participation), "alpaca", 256);
    }

    /** Three examples for client {@code a}, four for {@code b} and so on. */
    static List<ClientData> clients(int count) {
        List<ClientData> clients = new ArrayList<>();
        for (int client = 0; client < count; client++) {
            List<Example> examples = new ArrayList<>();
            for (int i = 0; i < 3 + client; i++) {
                Random random = new Random(100L * client + i);
                int[] ids = random.ints(8 + random.nextInt(7), 1, MODEL.vocabularySize())
                        .toArray();
                int[] labels = ids.clone();
                labels[0] = -100;
                examples.add(new Example(ids, labels));
            }
            clients.add(new ClientData(String.valueOf((char) ('a' + client)), examples));
        }
        return clients;
    }

    static SortedSet<String> ids(List<ClientData> clients) {
        SortedSet<String> ids = new TreeSet<>();
        clients.forEach(client -> ids.add(client.id()));
        return ids;
    }

    /** The same run in one process. */
    static Models inProcess(LanguageModel model, Federation.Settings settings, List<ClientData> clients)
            throws IOException {
        try (Federation federation = new Federation(model, settings, clients)) {
            federation.run(RunListener.NONE);
            SortedMap<String, AdapterState> own = new TreeMap<>();
            federation.clientIds().forEach(id -> own.put(id, federation.personal(id)));
            return new Models(federation.global(), own);
        }
    }

    private static List<Phase> shortened(List<Phase> phases) {
        return phases.stream().map(phase -> phase.withSteps(2)).toList();
    }
}
