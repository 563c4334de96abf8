package org.fedlora4j.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Example;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.SafetensorsWriter;

/** A federation small enough for hundreds of steps a second. */
final class Toy {
    static final LlamaConfig CONFIG =
            new LlamaConfig(50, 32, 48, 2, 4, 2, 8, 1e-6, 10_000, new RopeScaling.None(), true, 64);

    /** Whole matrices, then a shared part, then a private one. */
    private static final String RECIPE = """
            name: toy
            warm-up: {rounds: 1, phases: [{name: all, train: [A, B], share: [A, B], steps: 2, learning-rate: 0.01}]}
            round:
              - {name: direction, train: [A.direction], share: [A.direction], steps: 2, learning-rate: 0.01,
                 server: {optimizer: momentum, step: 0.9, momentum: 0.5}}
              - {name: magnitude, train: [B.magnitude], share: [], steps: 2, learning-rate: 0.05}
            """;

    private Toy() {}

    /** Writes the checkpoint of a model with random weights. */
    static Path model(Path folder) throws IOException {
        Files.createDirectories(folder);
        CONFIG.write(folder.resolve("config.json"));
        SafetensorsWriter writer = new SafetensorsWriter();
        Random random = new Random(5);
        ParameterNames.of(CONFIG).forEach(parameter -> {
            long[] shape = parameter.role().shape(CONFIG);
            float[] values = new float[Math.toIntExact(shape[0] * (shape.length == 1 ? 1 : shape[1]))];
            for (int i = 0; i < values.length; i++) {
                values[i] = shape.length == 1 ? 1 : (float) (0.2 * random.nextGaussian());
            }
            writer.floats(parameter.name(), shape, values);
        });
        writer.write(folder.resolve("model.safetensors"));
        return folder;
    }

    /** Two rounds, in which half of the clients take part. */
    static Federation.Settings settings(Path folder) throws IOException {
        Path recipe = Files.writeString(folder.resolve("recipe.yaml"), RECIPE);
        LoraConfig lora = LoraConfig.of(2, 4, "q_proj", "v_proj");
        return new Federation.Settings(lora, RecipeFile.load(recipe.toString()), 2, 2, 2, 0, 7, 0.5);
    }

    /** Clients whose examples are drawn from the hash of their id. */
    record Source(int clients) implements ClientSource {
        @Override
        public SortedSet<String> clientIds() {
            SortedSet<String> ids = new TreeSet<>();
            for (int n = 0; n < clients; n++) {
                ids.add("client/" + n);
            }
            return ids;
        }

        @Override
        public ClientData client(String id) {
            Random random = new Random(id.hashCode());
            List<Example> examples = new ArrayList<>();
            int count = 2 + random.nextInt(4);
            for (int n = 0; n < count; n++) {
                int[] ids = random.ints(4 + random.nextInt(6), 1, CONFIG.vocabularySize())
                        .toArray();
                examples.add(new Example(ids, ids));
            }
            return new ClientData(id, examples);
        }

        List<ClientData> all() {
            return clientIds().stream().map(this::client).toList();
        }
    }

    /** What a run left behind. */
    record Models(AdapterState global, SortedMap<String, AdapterState> personal) {
        static Models of(Federation federation) {
            SortedMap<String, AdapterState> personal = new TreeMap<>();
            federation.clientIds().forEach(id -> personal.put(id, federation.personal(id)));
            return new Models(federation.global(), personal);
        }
    }

    /** The same run in this process. */
    static Models inProcess(Path model, Federation.Settings settings, Source source, RunListener listener)
            throws IOException {
        try (LanguageModel opened = LanguageModel.open(model);
                Federation federation = new Federation(opened, settings, source.all())) {
            federation.run(listener);
            return Models.of(federation);
        }
    }

    /** Notes all that a run tells of, as text. */
    static final class Log implements RunListener {
        final List<String> lines = new ArrayList<>();

        @Override
        public void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
            lines.add(context.stage() + " " + clientId + " step " + step + " loss " + loss + " tokens " + tokens);
        }

        @Override
        public void phaseEnded(RoundContext context, PhaseResult result) {
            lines.add(context.stage() + " " + result);
        }
    }
}
