package org.fedlora4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.fedlora4j.benchmark.data.InstructionData;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.benchmark.metrics.Rouge;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.lora.TrainableAdapter;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.GenerationRequest;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.tokenizer.EncodedExample;
import org.fedlora4j.tokenizer.InstructionEncoder;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.fedlora4j.tokenizer.Tokenizer;

/** Measures a model with an adapter on the first records of a data set: {@code Evaluate MODEL ADAPTER DATA RECORDS}. */
public final class Evaluate {
    private Evaluate() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        List<InstructionRecord> records = InstructionData.read(Path.of(arguments[2])).stream()
                .limit(Long.parseLong(arguments[3]))
                .toList();
        try (LanguageModel model = LanguageModel.open(folder);
                Tokenizer tokenizer = Tokenizer.open(folder)) {
            AdapterState state = PeftAdapter.read(Path.of(arguments[1]), model.config());
            try (TrainableAdapter adapter =
                            new TrainableAdapter(model.config(), state.config(), Set.of(), MagnitudeAxis.ROW);
                    AdaptedModel adapted = model.with(adapter)) {
                adapter.load(state);
                InstructionEncoder encoder = new InstructionEncoder(tokenizer, PromptTemplate.ALPACA, 256);
                Rouge rouge = new Rouge(true);
                Score score = Score.ZERO;
                double rougeL = 0;
                for (InstructionRecord record : records) {
                    EncodedExample example = encoder.encode(record.instruction(), record.input(), record.response());
                    TokenBatch batch = new TokenBatch(
                            new int[][] {example.ids()}, new int[][] {example.labels()}, tokenizer.padId());
                    score = score.plus(adapted.score(batch).get(0));

                    int[][] prompt = {encoder.encodePrompt(record.instruction(), record.input())};
                    GenerationRequest request = GenerationRequest.greedy(prompt, 64, tokenizer.endIds());
                    String response = tokenizer.decode(adapted.generate(request)[0]);
                    rougeL += rouge.score(record.response(), response).rougeL().f1();
                }
                System.out.printf(
                        "%d records: loss %.4f, token accuracy %.4f, ROUGE-L %.4f%n",
                        records.size(), score.meanLoss(), score.accuracy(), rougeL / records.size());
            }
        }
    }
}
