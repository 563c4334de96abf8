package org.fedlora4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.fedlora4j.benchmark.data.InstructionData;
import org.fedlora4j.lora.AdamW;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.tokenizer.EncodedExample;
import org.fedlora4j.tokenizer.InstructionEncoder;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.fedlora4j.tokenizer.Tokenizer;

/** Fine-tunes a model on one data set, without a federation: {@code FineTune MODEL DATA ADAPTER STEPS}. */
public final class FineTune {
    private static final int BATCH = 2;

    private FineTune() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        LoraConfig lora = LoraConfig.of(8, 16, "q_proj", "v_proj");
        // bf16 where this machine computes it fastest, else float32.
        Precision precision = Precision.choose("auto").precision();
        try (LanguageModel model = LanguageModel.open(folder, LanguageModel.Settings.DEFAULT.withPrecision(precision));
                Tokenizer tokenizer = Tokenizer.open(folder);
                Trainer trainer = new Trainer(
                        model, lora, Set.of(Part.A, Part.B), MagnitudeAxis.ROW, MagnitudeStep.MULTIPLICATIVE)) {
            InstructionEncoder encoder = new InstructionEncoder(tokenizer, PromptTemplate.ALPACA, 256);
            List<EncodedExample> examples = InstructionData.read(Path.of(arguments[1])).stream()
                    .map(record -> encoder.encode(record.instruction(), record.input(), record.response()))
                    .filter(EncodedExample::hasTargets)
                    .toList();

            trainer.start(
                    AdapterState.initial(lora, ModuleShape.of(model.config(), lora), 1), AdamW.Settings.of(1e-3, 0), 1);
            Random random = new Random(1);
            for (int step = 1; step <= Integer.parseInt(arguments[3]); step++) {
                List<EncodedExample> batch = random.ints(BATCH, 0, examples.size())
                        .mapToObj(examples::get)
                        .toList();
                var score = trainer.step(new TokenBatch(
                        batch.stream().map(EncodedExample::ids).toArray(int[][]::new),
                        batch.stream().map(EncodedExample::labels).toArray(int[][]::new),
                        tokenizer.padId()));
                System.out.printf("step %d: loss %.4f%n", step, score.meanLoss());
            }

            PeftAdapter.write(trainer.trainedAdapter(), Path.of(arguments[2]), folder.toString());
        }
    }
}
