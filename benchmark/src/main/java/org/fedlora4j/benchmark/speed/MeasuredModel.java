package org.fedlora4j.benchmark.speed;

import java.io.IOException;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
import org.fedlora4j.model.exec.Precision;

/** Opens models as the arguments say, and trains them as peers do. */
public final class MeasuredModel {
    /** What {@link #open} reads. */
    private static final Set<String> OPTIONS = Set.of("precision", "recompute");

    private MeasuredModel() {}

    /** Options of a program that opens a model, with its own. */
    static Set<String> options(String... own) {
        return Stream.concat(OPTIONS.stream(), Stream.of(own)).collect(Collectors.toSet());
    }

    /** The model in the folder {@code MODEL}, in the fastest precision unless another is asked for. */
    static LanguageModel open(Arguments arguments) throws IOException {
        return LanguageModel.open(
                arguments.path("MODEL"),
                LanguageModel.Settings.DEFAULT
                        .withPrecision(Precision.choose(arguments.text("precision", "auto"))
                                .precision())
                        .withRecompute(arguments.choice("recompute", Recompute.NONE)));
    }

    /** The adapter of every measured step: alpha 16, on q and v. */
    public static LoraConfig lora(int rank) {
        return LoraConfig.of(rank, 16, "q_proj", "v_proj");
    }

    /** A trainer that has begun: LoRA of alpha 16 on q and v, and AdamW with a weight decay of 0.01. */
    static Trainer trainer(LanguageModel model, int rank) {
        LoraConfig lora = lora(rank);
        Trainer trainer = new Trainer(model, lora, Set.of(Part.A, Part.B), MagnitudeAxis.ROW, MagnitudeStep.ADDITIVE);
        trainer.start(
                AdapterState.initial(lora, ModuleShape.of(model.config(), lora), 1), AdamW.Settings.of(1e-3, 1e-2), 1);
        return trainer;
    }
}
