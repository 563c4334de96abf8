package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.fedlora4j.tests.parity.ParityReport.check;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.fedlora4j.benchmark.verify.Tolerance;
import org.fedlora4j.lora.AdamW;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.GenerationRequest;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.tests.parity.ParityReport.Quantity;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** SmolLM2-135M-Instruct in bf16 against the references, which are in f32. */
@Tag("real")
@ExtendWith(ParityReport.class)
class SmolLm2Bf16Test {
    private static final double LOGITS = Tolerance.of(Precision.BF16).outputs();

    /** At every step and for every record, relative. */
    private static final double LOSS = 1e-2;

    /** Where the two likeliest tokens are close, rounding may swap them. */
    private static final double OTHER_IDS = 3e-2;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @Test
    void lastLogitsOfEveryPrompt() throws Exception {
        if (Bf16.isRefused()) {
            return;
        }
        try (Reference reference = new Reference(Reference.golden("smollm2/logits.safetensors"));
                LanguageModel model = open();
                AdaptedModel plain = model.with(Adapter.NONE)) {
            for (JsonNode prompt : SmolLm2.json("prompts.json").get("prompts")) {
                int[] ids = SmolLm2.ids(prompt.get("ids"));
                float[] found = plain.logits(TokenBatch.of(new int[][] {ids}))[0][ids.length - 1];
                float[] wanted = reference.floats(prompt.get("name").textValue() + ".last_logits");
                Difference difference = Difference.between(found, wanted);
                check("smollm2, prompts, bf16", Quantity.LOGITS, difference.ofLargest(), LOGITS);
            }
        }
    }

    @Test
    void lossOfEveryRecord() throws Exception {
        if (Bf16.isRefused()) {
            return;
        }
        try (Reference reference = SmolLm2.sft();
                LanguageModel model = open();
                AdaptedModel plain = model.with(Adapter.NONE)) {
            List<Score> scores = plain.score(reference.batch(2));
            float[] wanted = reference.floats("example_loss");
            for (int row = 0; row < wanted.length; row++) {
                checkLoss("smollm2, records, bf16", scores.get(row).meanLoss(), wanted[row]);
            }
        }
    }

    /** After the same tokens, nearly always the same token is the likeliest. */
    @Test
    void greedyIds() throws Exception {
        if (Bf16.isRefused()) {
            return;
        }
        int all = 0;
        int others = 0;
        try (LanguageModel model = open();
                AdaptedModel plain = model.with(Adapter.NONE)) {
            for (JsonNode text : SmolLm2.json("greedy.json")) {
                int[] prompt = SmolLm2.ids(text.get("prompt_ids"));
                int[] wanted = SmolLm2.ids(text.get("new_ids"));
                int[] ids = IntStream.concat(IntStream.of(prompt), IntStream.of(wanted))
                        .toArray();
                float[][] logits = plain.logits(TokenBatch.of(new int[][] {ids}))[0];
                for (int i = 0; i < wanted.length; i++) {
                    others += largest(logits[prompt.length - 1 + i]) == wanted[i] ? 0 : 1;
                }
                all += wanted.length;
                int[] generated =
                        plain.generate(GenerationRequest.greedy(new int[][] {prompt}, wanted.length, Set.of()))[0];
                assertThat(generated[0]).as("first id").isEqualTo(wanted[0]);
            }
        }
        check("smollm2, greedy, bf16", Quantity.OTHER_IDS, (double) others / all, OTHER_IDS);
    }

    @Test
    void twentyTrainingSteps() throws Exception {
        if (Bf16.isRefused()) {
            return;
        }
        JsonNode training = SmolLm2.json("training.json");
        JsonNode settings = training.get("optimizer");
        try (Reference sft = SmolLm2.sft();
                LanguageModel model = open()) {
            AdapterState initial = PeftAdapter.read(Reference.golden("smollm2/adapter-init"), model.config());
            try (Trainer trainer = new Trainer(
                    model, initial.config(), Set.of(Part.A, Part.B), MagnitudeAxis.ROW, MagnitudeStep.ADDITIVE)) {
                trainer.start(
                        initial,
                        AdamW.Settings.of(
                                settings.get("lr").doubleValue(),
                                settings.get("weight_decay").doubleValue()),
                        1);
                TokenBatch records = sft.batch(2);
                for (JsonNode step : training.get("steps")) {
                    TokenBatch batch = SmolLm2.select(records, SmolLm2.ids(step.get("records")));
                    double loss = trainer.step(batch).meanLoss();
                    checkLoss("smollm2, 20 steps, bf16", loss, step.get("loss").doubleValue());
                }
            }
        }
    }

    private LanguageModel open() throws IOException, InterruptedException {
        return LanguageModel.open(SmolLm2.convert(folder), Bf16.SETTINGS);
    }

    private static void checkLoss(String row, double found, double wanted) {
        check(row, Quantity.LOSS, Math.abs(found / wanted - 1), LOSS);
    }

    private static int largest(float[] values) {
        int largest = 0;
        for (int i = 1; i < values.length; i++) {
            largest = values[i] > values[largest] ? i : largest;
        }
        return largest;
    }
}
