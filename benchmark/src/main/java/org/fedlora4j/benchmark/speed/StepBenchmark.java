package org.fedlora4j.benchmark.speed;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;

/**
 * Times training steps as {@code benchmark/peers/peft_step.py} does: LoRA on q and v, AdamW, all positions as targets.
 * {@code firstLoss} is that of the model without an adapter; {@code compileMillis} is how long its plan was compiled, by a JVM
 * that has just started; {@code planBytes} the native memory that it and its workspace take.
 */
public final class StepBenchmark {
    /** The name of the time that compiling took. */
    public static final String COMPILE_MILLIS = "compileMillis";

    /** The name of the native memory that the step's plan took. */
    public static final String PLAN_BYTES = "planBytes";

    private StepBenchmark() {}

    public static void main(String[] texts) throws IOException {
        Arguments arguments = Arguments.parse(
                texts, List.of("MODEL", "BATCH", "TOKENS"), MeasuredModel.options("steps", "warm-up", "rank"));
        try (LanguageModel model = MeasuredModel.open(arguments);
                Trainer trainer = MeasuredModel.trainer(model, arguments.number("rank", 8))) {
            TokenBatch batch = SyntheticTokens.batch(
                    model.config().vocabularySize(), arguments.number("BATCH"), arguments.number("TOKENS"));
            double firstLoss = trainer.step(batch).meanLoss();
            double compileMillis = model.compileMillis();
            List<Double> millis = Measurement.time(
                    arguments.number("warm-up", Measurement.WARM_UP),
                    arguments.number("steps", 8),
                    () -> trainer.step(batch));
            System.out.println(Measurement.here(
                            millis,
                            batch.tokens(),
                            new TreeMap<>(
                                    Map.of("firstLoss", firstLoss, COMPILE_MILLIS, compileMillis, PLAN_BYTES, (double)
                                            model.planBytes())))
                    .toJson());
        }
    }
}
