package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.fedlora4j.tests.parity.ParityReport.check;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.lora.AdamW;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.lora.TrainableAdapter;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.GenerationRequest;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.tests.parity.ParityReport.Quantity;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** SmolLM2-135M-Instruct, unpacked and converted as a user would: logits, loss, greedy text, training. */
@Tag("real")
@ExtendWith(ParityReport.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
class SmolLm2ParityTest {
    // The tolerances of golden/README.md.
    private static final double LOGITS = 5e-4;
    private static final double LOSS = 1e-4;
    private static final double TRAINING_LOSS = 2e-4;
    private static final double GRADIENT_NORM = 5e-4;
    private static final double FIRST_GRADIENTS = 2e-3;
    private static final double LAST_GRADIENTS = 5e-3;
    private static final double FINAL_A = 1e-2;
    private static final double FINAL_B = 3e-2;
    private static final double FINAL_COSINE = 1e-4;

    private static final Set<Part> MATRICES = EnumSet.of(Part.A, Part.B);

    private LanguageModel model;
    private AdaptedModel plain;

    @BeforeAll
    void unpackAndConvert(@TempDir Path folder) throws Exception {
        model = LanguageModel.open(SmolLm2.convert(folder));
        plain = model.with(Adapter.NONE);
    }

    @AfterAll
    void close() throws IOException {
        plain.close();
        model.close();
    }

    @Test
    void logitsOfEveryPrompt() throws IOException {
        try (Reference reference = new Reference(Reference.golden("smollm2/logits.safetensors"))) {
            for (JsonNode prompt : SmolLm2.json("prompts.json").get("prompts")) {
                String name = prompt.get("name").textValue();
                int[] ids = reference.ints(name + ".input_ids");
                assertThat(ids).containsExactly(SmolLm2.ids(prompt.get("ids")));
                float[][] logits = plain.logits(TokenBatch.of(new int[][] {ids}))[0];
                checkLogits(logits[ids.length - 1], reference.floats(name + ".last_logits"));
                int[] bestIds = reference.ints(name + ".top20_ids");
                float[] best = reference.floats(name + ".top20_logits");
                for (int position = 0; position < ids.length; position++) {
                    float[] row = logits[position];
                    int[] wantedIds = Arrays.copyOfRange(bestIds, position * 20, position * 20 + 20);
                    float[] wanted = Arrays.copyOfRange(best, position * 20, position * 20 + 20);
                    float[] ofThese = new float[20];
                    for (int i = 0; i < 20; i++) {
                        ofThese[i] = row[wantedIds[i]];
                    }
                    checkLogits(ofThese, wanted);
                    // No other token is better, but for those that are as good to rounding.
                    float[] sorted = row.clone();
                    Arrays.sort(sorted);
                    assertThat(sorted[sorted.length - 21]).isLessThan(wanted[19] + 1e-3f);
                }
            }
        }
    }

    @Test
    void lossOfEveryRecordAndOfTheBatch() throws IOException {
        try (Reference reference = SmolLm2.sft()) {
            List<Score> scores = plain.score(reference.batch(2));
            checkExampleLosses("smollm2, records", scores, reference.floats("example_loss"), LOSS);
            assertThat(scores.stream().mapToInt(score -> (int) score.targets()).toArray())
                    .isEqualTo(reference.ints("example_targets"));
            double loss = scores.stream().reduce(Score.ZERO, Score::plus).meanLoss();
            check("smollm2, records", Quantity.LOSS, Math.abs(loss - reference.floats("loss")[0]), LOSS);
        }
    }

    @Test
    void everyGreedyIdOfEveryPromptAloneAndInABatch() throws IOException {
        int eos = SmolLm2.json("prompts.json").get("eos_id").intValue();
        List<int[]> prompts = new ArrayList<>();
        List<int[]> wanted = new ArrayList<>();
        for (JsonNode text : SmolLm2.json("greedy.json")) {
            prompts.add(SmolLm2.ids(text.get("prompt_ids")));
            boolean stopped = text.get("stopped_at_eos").booleanValue();
            int[] ids = SmolLm2.ids(text.get("new_ids"));
            wanted.add(stopped ? Arrays.copyOf(ids, ids.length - 1) : ids);
        }
        int longest = wanted.stream().mapToInt(ids -> ids.length).max().orElseThrow();

        int[][] together =
                plain.generate(GenerationRequest.greedy(prompts.toArray(int[][]::new), longest, Set.of(eos)));
        for (int i = 0; i < prompts.size(); i++) {
            assertThat(together[i]).as("prompt %d in a batch", i).containsExactly(wanted.get(i));
            int[][] alone =
                    plain.generate(GenerationRequest.greedy(new int[][] {prompts.get(i)}, longest, Set.of(eos)));
            assertThat(alone[0]).as("prompt %d alone", i).containsExactly(wanted.get(i));
        }
    }

    @Test
    void twentyTrainingSteps() throws IOException {
        AdapterState initial = PeftAdapter.read(Reference.golden("smollm2/adapter-init"), model.config());
        AdapterState wanted = PeftAdapter.read(Reference.golden("smollm2/adapter-final"), model.config());
        JsonNode training = SmolLm2.json("training.json");
        JsonNode settings = training.get("optimizer");
        AdamW optimizer = new AdamW(AdamW.Settings.of(
                settings.get("lr").doubleValue(), settings.get("weight_decay").doubleValue()));
        try (Reference sft = SmolLm2.sft();
                Reference gradients = new Reference(Reference.golden("smollm2/training-gradients.safetensors"));
                TrainableAdapter adapter =
                        new TrainableAdapter(model.config(), initial.config(), MATRICES, MagnitudeAxis.ROW);
                AdaptedModel adapted = model.with(adapter)) {
            adapter.load(initial);
            TokenBatch records = sft.batch(2);
            SortedMap<String, Matrix> parameters = new TreeMap<>();
            forEachMatrix(adapter, (name, part, module) -> parameters.put(name, adapter.read(part, module)));
            int compared = 0;
            for (JsonNode step : training.get("steps")) {
                TokenBatch batch = SmolLm2.select(records, SmolLm2.ids(step.get("records")));
                double loss = adapted.gradients(batch).meanLoss();
                double difference = Math.abs(loss - step.get("loss").doubleValue());
                check("smollm2, 20 steps", Quantity.LOSS, difference, TRAINING_LOSS);
                Map<String, Matrix> found = new LinkedHashMap<>();
                forEachMatrix(adapter, (name, part, module) -> found.put(name, adapter.gradient(part, module)));
                double norm = norm(found) / step.get("gradient_norm").doubleValue();
                check("smollm2, 20 steps", Quantity.GRADIENT_NORM, Math.abs(norm - 1), GRADIENT_NORM);
                compared += checkGradients(step.get("step").intValue(), found, gradients);
                optimizer.step(parameters, found);
                forEachMatrix(adapter, (name, part, module) -> adapter.write(part, module, get(parameters, name)));
            }
            assertThat(compared).isEqualTo(gradients.names().size());
            for (String module : adapter.modules()) {
                LoraPair found = new LoraPair(adapter.read(Part.A, module), adapter.read(Part.B, module));
                checkFinal("smollm2, final A", found.a(), wanted.pair(module).a(), FINAL_A);
                checkFinal("smollm2, final B", found.b(), wanted.pair(module).b(), FINAL_B);
                assertThat(cosine(found, wanted.pair(module)))
                        .as("cosine of B A of %s", module)
                        .isCloseTo(1, within(FINAL_COSINE));
            }
            float[] after = SmolLm2.floats(training.get("example_loss_after"));
            checkExampleLosses("smollm2, trained", adapted.score(records), after, TRAINING_LOSS);
        }
    }

    private interface MatrixVisitor {
        void visit(String name, Part part, String module);
    }

    private static void forEachMatrix(TrainableAdapter adapter, MatrixVisitor visitor) {
        for (String module : adapter.modules()) {
            for (Part part : MATRICES) {
                visitor.visit(module + ".lora_" + part + ".weight", part, module);
            }
        }
    }

    private static Matrix get(Map<String, Matrix> matrices, String name) {
        return Objects.requireNonNull(matrices.get(name), name);
    }

    private static double norm(Map<String, Matrix> matrices) {
        double squares = 0;
        for (Matrix matrix : matrices.values()) {
            for (float value : matrix.values()) {
                squares += (double) value * value;
            }
        }
        return Math.sqrt(squares);
    }

    /** The reference holds the gradients of some layers at the first and the last step. */
    private static int checkGradients(int step, Map<String, Matrix> gradients, Reference reference) throws IOException {
        int compared = 0;
        for (Map.Entry<String, Matrix> entry : gradients.entrySet()) {
            String name = "step" + step + ".grad.base_model.model." + entry.getKey();
            if (!reference.names().contains(name)) {
                continue;
            }
            float[] found = entry.getValue().values();
            float[] wanted = reference.floats(name);
            if (step == 0 && name.contains(".lora_A.")) {
                // B is zero, so A's gradient is.
                assertThat(found).as(name).containsOnly(0f);
                assertThat(wanted).as(name).containsOnly(0f);
            } else {
                double norm = Difference.between(found, wanted).norm();
                double tolerance = step == 0 ? FIRST_GRADIENTS : LAST_GRADIENTS;
                check("smollm2, gradients of step " + step, Quantity.GRADIENTS, norm, tolerance);
            }
            compared++;
        }
        return compared;
    }

    private static void checkLogits(float[] found, float[] wanted) {
        check(
                "smollm2, prompts",
                Quantity.LOGITS,
                Difference.between(found, wanted).absolute(),
                LOGITS);
    }

    private static void checkFinal(String testCase, Matrix found, Matrix wanted, double tolerance) {
        double norm = Difference.between(found.values(), wanted.values()).norm();
        check(testCase, Quantity.WEIGHTS, norm, tolerance);
    }

    private static void checkExampleLosses(String testCase, List<Score> scores, float[] wanted, double tolerance) {
        assertThat(scores).hasSize(wanted.length);
        for (int row = 0; row < wanted.length; row++) {
            check(testCase, Quantity.LOSS, Math.abs(scores.get(row).meanLoss() - wanted[row]), tolerance);
        }
    }

    /** The cosine of the angle between two products B·A. */
    private static double cosine(LoraPair left, LoraPair right) {
        float[] a = left.merge(Matrix.zeros(left.out(), left.in()), 1).values();
        float[] b = right.merge(Matrix.zeros(right.out(), right.in()), 1).values();
        double product = 0;
        double squaresOfA = 0;
        double squaresOfB = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            squaresOfA += (double) a[i] * a[i];
            squaresOfB += (double) b[i] * b[i];
        }
        return product / Math.sqrt(squaresOfA * squaresOfB);
    }
}
