package org.fedlora4j.benchmark.speed;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;

/**
 * Times forward passes without an adapter, up to the loss of all positions, as {@code benchmark/peers/peft_step.py --forward}
 * does. {@code firstLoss} is that loss.
 */
public final class ForwardBenchmark {
    private ForwardBenchmark() {}

    public static void main(String[] texts) throws IOException {
        Arguments arguments =
                Arguments.parse(texts, List.of("MODEL", "BATCH", "TOKENS"), MeasuredModel.options("steps", "warm-up"));
        try (LanguageModel model = MeasuredModel.open(arguments);
                AdaptedModel plain = model.with(Adapter.NONE)) {
            TokenBatch batch = SyntheticTokens.batch(
                    model.config().vocabularySize(), arguments.number("BATCH"), arguments.number("TOKENS"));
            double loss =
                    plain.score(batch).stream().reduce(Score.ZERO, Score::plus).meanLoss();
            List<Double> millis = Measurement.time(
                    arguments.number("warm-up", Measurement.WARM_UP),
                    arguments.number("steps", 8),
                    () -> plain.score(batch));
            System.out.println(Measurement.here(millis, batch.tokens(), new TreeMap<>(Map.of("firstLoss", loss)))
                    .toJson());
        }
    }
}
