package org.fedlora4j.benchmark.speed;

import java.io.IOException;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.LanguageModel;

/**
 * Times greedy generation as {@code benchmark/peers/transformers_generate.py} does: prompts of equal length, which no
 * token ends early. A step is a whole call. {@code first[i]} is the first new token of row i.
 */
public final class GenerateBenchmark {
    private static final int NO_EOS = -1;

    private GenerateBenchmark() {}

    public static void main(String[] texts) throws IOException {
        Arguments arguments = Arguments.parse(
                texts, List.of("MODEL", "BATCH", "PROMPT", "NEW"), MeasuredModel.options("steps", "warm-up"));
        int rows = arguments.number("BATCH");
        int newTokens = arguments.number("NEW");
        try (LanguageModel model = MeasuredModel.open(arguments);
                AdaptedModel generator = model.with(Adapter.NONE)) {
            int[][] prompts = SyntheticTokens.ids(model.config().vocabularySize(), rows, arguments.number("PROMPT"));
            SortedMap<String, Double> first = new TreeMap<>();
            int[][] generated = generator.generate(prompts, newTokens, NO_EOS);
            for (int row = 0; row < rows; row++) {
                first.put("first[" + row + "]", (double) generated[row][0]);
            }
            List<Double> millis = Measurement.time(
                    arguments.number("warm-up", Measurement.WARM_UP),
                    arguments.number("steps", 5),
                    () -> generator.generate(prompts, newTokens, NO_EOS));
            System.out.println(
                    Measurement.here(millis, (double) rows * newTokens, first).toJson());
        }
    }
}
