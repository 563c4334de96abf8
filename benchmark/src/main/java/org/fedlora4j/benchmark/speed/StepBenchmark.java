package org.fedlora4j.benchmark.speed;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import org.fedlora4j.lora.AdamW;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;

/**
 * Times training steps as {@code benchmark/peers/peft_step.py} does: LoRA r=8, alpha=16 on q and v, AdamW, all positions as
 * targets. Arguments: MODEL BATCH TOKENS STEPS. Prints one line, the median of the steps' milliseconds after five steps of
 * warm-up.
 */
public final class StepBenchmark {
    private static final int WARM_UP = 5;

    private StepBenchmark() {}

    public static void main(String[] arguments) throws IOException {
        int batch = Integer.parseInt(arguments[1]);
        int tokens = Integer.parseInt(arguments[2]);
        double[] times = new double[Integer.parseInt(arguments[3])];
        LoraConfig lora = LoraConfig.of(8, 16, "q_proj", "v_proj");
        try (LanguageModel model = LanguageModel.open(Path.of(arguments[0]));
                Trainer trainer =
                        new Trainer(model, lora, Set.of(Part.A, Part.B), MagnitudeAxis.ROW, MagnitudeStep.ADDITIVE)) {
            AdapterState adapter = AdapterState.initial(lora, ModuleShape.of(model.config(), lora), 1);
            trainer.start(adapter, AdamW.Settings.of(1e-3, 1e-2), 1);
            Random random = new Random(1);
            int[][] ids = new int[batch][];
            for (int row = 0; row < batch; row++) {
                ids[row] =
                        random.ints(tokens, 0, model.config().vocabularySize()).toArray();
            }
            TokenBatch all = new TokenBatch(ids, ids, 0);
            for (int step = -WARM_UP; step < times.length; step++) {
                long start = System.nanoTime();
                trainer.step(all);
                if (step >= 0) {
                    times[step] = (System.nanoTime() - start) / 1e6;
                }
            }
        }
        Arrays.sort(times);
        System.out.printf(Locale.ROOT, "%.1f%n", times[times.length / 2]);
    }
}
