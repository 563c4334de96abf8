package org.fedlora4j.benchmark.speed;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.fedlora4j.benchmark.data.InstructionData;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.federation.Batches;
import org.fedlora4j.federation.Example;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.tokenizer.EncodedExample;
import org.fedlora4j.tokenizer.InstructionEncoder;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.fedlora4j.tokenizer.Tokenizer;

/**
 * Times training steps on real instructions, encoded and batched as experiments do by default, whose targets are the
 * responses alone or all positions. A time is the mean over all batches in one pass; {@code paddedShare} is of all
 * tokens computed, {@code targetShare} of those that are no padding.
 */
public final class InstructionBenchmark {
    private static final int MAX_TOKENS = 256;
    private static final int BATCH_WINDOW = 8;

    private InstructionBenchmark() {}

    /** Which positions are trained on. */
    public enum Targets {
        RESPONSES,
        ALL
    }

    public static void main(String[] texts) throws IOException {
        Arguments arguments = Arguments.parse(
                texts,
                List.of("MODEL", "DATA"),
                MeasuredModel.options("targets", "batch", "batches", "passes", "warm-up", "rank"));
        int count = arguments.number("batches", 2 * BATCH_WINDOW);
        try (LanguageModel model = MeasuredModel.open(arguments);
                Tokenizer tokenizer = Tokenizer.open(arguments.path("MODEL"));
                Trainer trainer = MeasuredModel.trainer(model, arguments.number("rank", 8))) {
            Batches order = new Batches(
                    examples(InstructionData.read(arguments.path("DATA")), tokenizer),
                    arguments.number("batch", 4),
                    BATCH_WINDOW,
                    tokenizer.padId(),
                    1);
            Targets targets = arguments.choice("targets", Targets.RESPONSES);
            List<TokenBatch> batches = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                TokenBatch batch = order.next();
                batches.add(targets == Targets.ALL ? new TokenBatch(batch.ids(), batch.ids(), batch.padId()) : batch);
            }
            List<Double> millis = Measurement.time(
                            arguments.number("warm-up", Measurement.WARM_UP),
                            arguments.number("passes", 3),
                            () -> batches.forEach(trainer::step))
                    .stream()
                    .map(pass -> pass / count)
                    .toList();
            double tokens = batches.stream().mapToInt(TokenBatch::tokens).sum();
            double padding = batches.stream().mapToInt(TokenBatch::padding).sum();
            double trained = batches.stream().mapToInt(TokenBatch::targets).sum();
            Map<String, Double> shares =
                    Map.of("paddedShare", padding / (tokens + padding), "targetShare", trained / tokens);
            System.out.println(Measurement.here(millis, tokens / count, new TreeMap<>(shares))
                    .toJson());
        }
    }

    private static List<Example> examples(List<InstructionRecord> records, Tokenizer tokenizer) {
        InstructionEncoder encoder = new InstructionEncoder(tokenizer, PromptTemplate.ALPACA, MAX_TOKENS);
        return records.stream()
                .map(record -> encoder.encode(record.instruction(), record.input(), record.response()))
                .filter(EncodedExample::hasTargets)
                .map(encoded -> new Example(encoded.ids(), encoded.labels()))
                .toList();
    }
}
