package org.fedlora4j.benchmark.scale;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.fedlora4j.benchmark.TinyModel;
import org.fedlora4j.lora.AdamW;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Recompute;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.exec.Precision;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The formula beside the memory that a step really takes. */
class StepMemoryTest {
    private static final LlamaConfig MODEL =
            new LlamaConfig(98, 256, 704, 8, 4, 2, 64, 1e-5, 10_000, new RopeScaling.None(), true, 512);

    @TempDir
    Path folder;

    /** What a half needs while it runs is estimated, and weighs more where layers share the space of what they keep. */
    @ParameterizedTest
    @CsvSource({"NONE, 2", "ATTENTION, 3", "LAYER, 15"})
    void isWhatAStepTakes(Recompute recompute, double percent) throws IOException {
        TinyModel.write(folder, MODEL);
        for (Precision precision :
                Set.of(Precision.F32, Precision.choose("auto").precision())) {
            for (int[] size : new int[][] {{1, 64, 4}, {1, 256, 8}, {3, 128, 8}, {2, 192, 16}}) {
                LoraConfig lora = LoraConfig.of(size[2], 16, "q_proj", "v_proj");
                double formula =
                        StepMemory.of(MODEL, lora, precision, size[0], size[1]).bytes(recompute);
                assertThat(formula)
                        .as("%s, %d x %d, rank %d", precision, size[0], size[1], size[2])
                        .isCloseTo(measured(lora, precision, recompute, size[0], size[1]), withinPercentage(percent));
            }
        }
    }

    private double measured(LoraConfig lora, Precision precision, Recompute recompute, int batch, int tokens)
            throws IOException {
        int[][] ids = new int[batch][tokens];
        Set<Part> parts = Set.of(Part.A, Part.B);
        LanguageModel.Settings settings =
                LanguageModel.Settings.DEFAULT.withPrecision(precision).withRecompute(recompute);
        try (LanguageModel model = LanguageModel.open(folder, settings);
                Trainer trainer = new Trainer(model, lora, parts, MagnitudeAxis.ROW, MagnitudeStep.ADDITIVE)) {
            trainer.start(AdapterState.initial(lora, ModuleShape.of(MODEL, lora), 1), AdamW.Settings.of(1e-3, 1e-2), 1);
            trainer.step(new TokenBatch(ids, ids, 0));
            return model.planBytes();
        }
    }
}
