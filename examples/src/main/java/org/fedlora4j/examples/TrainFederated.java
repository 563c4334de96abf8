package org.fedlora4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.fedlora4j.benchmark.data.InstructionData;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Example;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.StateFolder;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.tokenizer.EncodedExample;
import org.fedlora4j.tokenizer.InstructionEncoder;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.fedlora4j.tokenizer.Tokenizer;

/** Trains across clients, one for each category of the data: {@code TrainFederated MODEL DATA OUTPUT RECIPE ROUNDS}. */
public final class TrainFederated {
    private TrainFederated() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Path output = Path.of(arguments[2]);
        // bf16 where this machine computes it fastest, else float32.
        Precision precision = Precision.choose("auto").precision();
        try (LanguageModel model = LanguageModel.open(folder, LanguageModel.Settings.DEFAULT.withPrecision(precision));
                Tokenizer tokenizer = Tokenizer.open(folder)) {
            InstructionEncoder encoder = new InstructionEncoder(tokenizer, PromptTemplate.ALPACA, 256);
            Map<String, List<Example>> byCategory = InstructionData.read(Path.of(arguments[1])).stream()
                    .collect(Collectors.groupingBy(
                            InstructionRecord::category,
                            TreeMap::new,
                            Collectors.mapping(record -> example(encoder, record), Collectors.toList())));
            List<ClientData> clients = byCategory.entrySet().stream()
                    .map(category -> new ClientData(category.getKey(), category.getValue()))
                    .toList();

            Federation.Settings settings = new Federation.Settings(
                    LoraConfig.of(8, 16, "q_proj", "v_proj"),
                    RecipeFile.load(arguments[3]),
                    Integer.parseInt(arguments[4]),
                    2,
                    8,
                    tokenizer.padId(),
                    1);
            try (Federation federation = new Federation(model, settings, clients)) {
                // Run it again after an interruption, and it goes on from the latest state.
                federation.run(new Losses(), new StateFolder(output.resolve("state")));
                PeftAdapter.write(federation.global(), output.resolve("global"), folder.toString());
                for (String client : federation.clientIds()) {
                    PeftAdapter.write(
                            federation.personal(client), output.resolve("client-" + client), folder.toString());
                }
            }
        }
    }

    private static Example example(InstructionEncoder encoder, InstructionRecord record) {
        EncodedExample encoded = encoder.encode(record.instruction(), record.input(), record.response());
        return new Example(encoded.ids(), encoded.labels());
    }

    private static final class Losses implements RunListener {
        @Override
        public void phaseEnded(RoundContext context, PhaseResult result) {
            System.out.printf(
                    "%s, %s: loss %.4f%n", context.label(), context.phase().name(), result.loss());
        }
    }
}
