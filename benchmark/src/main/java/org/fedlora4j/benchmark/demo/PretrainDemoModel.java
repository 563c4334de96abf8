package org.fedlora4j.benchmark.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.lora.AdamW;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Role;
import org.fedlora4j.model.weights.SafetensorsWriter;
import org.fedlora4j.tokenizer.EncodedExample;
import org.fedlora4j.tokenizer.InstructionEncoder;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.fedlora4j.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * Makes the demo's base model from nothing but {@link DemoText}, in minutes: random weights, all projections trained by
 * LoRA of full rank, which can become any matrix, and folded in at the end. Embedding and norms stay as they began.
 */
public final class PretrainDemoModel {
    private static final LlamaConfig CONFIG = new LlamaConfig(
            ByteTokenizer.VOCABULARY_SIZE, 96, 256, 4, 4, 2, 24, 1e-6, 10_000, new RopeScaling.None(), true, 128);
    private static final long SEED = 1;
    private static final int BATCH = 32;
    private static final int MAX_TOKENS = 64;

    /** Standard deviation of the embedding: as the head it must let logits grow to 0.2 · 96. */
    private static final double EMBEDDING_SCALE = 0.2;

    /** Steps by learning rate; the optimizer begins anew with each. */
    private record Stage(int steps, double learningRate) {}

    private static final List<Stage> STAGES = List.of(new Stage(500, 2e-3), new Stage(200, 3e-4));

    private PretrainDemoModel() {}

    /** Writes the model's folder, the one argument, which must not exist. */
    public static void main(String[] arguments) throws IOException {
        Path target = Path.of(arguments[0]);
        Path start = Files.createTempDirectory("fedlora-demo-");
        try {
            writeFolder(start, ElementType.F32, initialWeights());
            Map<String, float[]> trained;
            try (LanguageModel model = LanguageModel.open(start);
                    Tokenizer tokenizer = Tokenizer.open(start)) {
                trained = pretrain(model, tokenizer);
            }
            AtomicFiles.writeFolder(target, folder -> writeFolder(folder, ElementType.BF16, trained));
        } finally {
            AtomicFiles.deleteRecursively(start);
        }
        try (LanguageModel model = LanguageModel.open(target);
                Tokenizer tokenizer = Tokenizer.open(target)) {
            System.out.println("held out: " + heldOutScore(model, tokenizer));
        }
    }

    /** How well a model answers the part of its text that it wasn't trained on. */
    static Score heldOutScore(LanguageModel model, Tokenizer tokenizer) {
        List<EncodedExample> examples = encode(tokenizer, DemoText.pretraining().heldOut());
        try (AdaptedModel base = model.with(Adapter.NONE)) {
            return base.score(batch(examples)).stream().reduce(Score.ZERO, Score::plus);
        }
    }

    private static Map<String, float[]> pretrain(LanguageModel model, Tokenizer tokenizer) throws IOException {
        LoraConfig lora = fullRank();
        AdapterState state = AdapterState.initial(lora, ModuleShape.of(CONFIG, lora), SEED);
        List<EncodedExample> examples = encode(tokenizer, DemoText.pretraining().train());
        Random random = new Random(SEED);
        try (Trainer trainer =
                new Trainer(model, lora, EnumSet.of(Part.A, Part.B), MagnitudeAxis.ROW, MagnitudeStep.ADDITIVE)) {
            for (Stage stage : STAGES) {
                trainer.start(state, AdamW.Settings.of(stage.learningRate, 0), SEED);
                train(trainer, stage, examples, random);
                state = trainer.trainedAdapter();
            }
        }
        return merged(model.folder(), state);
    }

    private static void train(Trainer trainer, Stage stage, List<EncodedExample> examples, Random random) {
        Score score = Score.ZERO;
        long begin = System.nanoTime();
        for (int step = 1; step <= stage.steps; step++) {
            List<EncodedExample> batch = new ArrayList<>();
            for (int i = 0; i < BATCH; i++) {
                batch.add(examples.get(random.nextInt(examples.size())));
            }
            score = score.plus(trainer.step(batch(batch)));
            if (step % 50 == 0) {
                System.out.printf(
                        "step %d of %d, learning rate %s: loss %.4f, accuracy %.4f, %.0f ms a step%n",
                        step,
                        stage.steps,
                        stage.learningRate,
                        score.meanLoss(),
                        score.accuracy(),
                        (System.nanoTime() - begin) / 1e6 / 50);
                score = Score.ZERO;
                begin = System.nanoTime();
            }
        }
    }

    /** LoRA on every projection with the rank of its smaller side and scale 1. */
    private static LoraConfig fullRank() {
        int hidden = CONFIG.hiddenSize();
        Map<String, Integer> ranks = Map.of("(k|v)_proj", CONFIG.keyValueSize());
        Map<String, Double> alphas = Map.of("(k|v)_proj", (double) CONFIG.keyValueSize());
        return new LoraConfig(hidden, hidden, new LinkedHashSet<>(LoraConfig.PROJECTIONS), 0, false, ranks, alphas);
    }

    private static Map<String, float[]> merged(Path folder, AdapterState state) throws IOException {
        Map<String, float[]> weights = new HashMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            for (ParameterNames.Parameter parameter : ParameterNames.of(CONFIG).toList()) {
                weights.put(parameter.name(), checkpoint.floats(parameter.name()));
            }
        }
        state.modules().forEach((module, pair) -> {
            Matrix weight = Matrix.of(pair.out(), pair.in(), required(weights.get(module + ".weight")));
            weights.put(
                    module + ".weight",
                    pair.merge(weight, state.config().scale(module)).values());
        });
        return weights;
    }

    /** Norms 1; projections as small as keeps the size of what they are given. */
    private static Map<String, float[]> initialWeights() {
        Random random = new Random(SEED);
        Map<String, float[]> weights = new HashMap<>();
        ParameterNames.of(CONFIG).forEach(parameter -> {
            long[] shape = parameter.role().shape(CONFIG);
            float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
            double scale = parameter.role() == Role.EMBEDDING
                    ? EMBEDDING_SCALE
                    : 0.5 / Math.sqrt((double) shape[shape.length - 1]);
            for (int i = 0; i < values.length; i++) {
                values[i] = shape.length == 1 ? 1 : (float) (scale * random.nextGaussian());
            }
            weights.put(parameter.name(), values);
        });
        return weights;
    }

    private static void writeFolder(Path folder, ElementType type, Map<String, float[]> weights) throws IOException {
        ObjectNode config = CONFIG.toJson();
        config.put("bos_token_id", ByteTokenizer.BOS).put("eos_token_id", ByteTokenizer.EOS);
        AtomicFiles.writeString(folder.resolve("config.json"), config.toPrettyString() + "\n");
        ByteTokenizer.write(folder);
        SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
        ParameterNames.of(CONFIG).forEach(parameter -> {
            float[] values = required(weights.get(parameter.name()));
            writer.tensor(parameter.name(), type, parameter.role().shape(CONFIG), out -> write(values, type, out));
        });
        writer.write(folder.resolve("model.safetensors"));
    }

    private static void write(float[] values, ElementType type, OutputStream out) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            if (type == ElementType.F32) {
                bytes.putFloat(value);
            } else {
                // Round to nearest: the upper half of the bits, half of the lower half's range added.
                bytes.putShort((short) ((Float.floatToRawIntBits(value) + 0x8000) >> 16));
            }
        }
        out.write(bytes.array());
    }

    private static <T> T required(@Nullable T value) {
        return Objects.requireNonNull(value);
    }

    static List<EncodedExample> encode(Tokenizer tokenizer, List<InstructionRecord> records) {
        InstructionEncoder encoder = new InstructionEncoder(tokenizer, PromptTemplate.SHORT, MAX_TOKENS);
        return records.stream()
                .map(record -> encoder.encode(record.instruction(), record.input(), record.response()))
                .toList();
    }

    static TokenBatch batch(List<EncodedExample> examples) {
        return new TokenBatch(
                examples.stream().map(EncodedExample::ids).toArray(int[][]::new),
                examples.stream().map(EncodedExample::labels).toArray(int[][]::new),
                ByteTokenizer.EOS);
    }
}
