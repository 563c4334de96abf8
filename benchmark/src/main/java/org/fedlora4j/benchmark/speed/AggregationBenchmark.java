package org.fedlora4j.benchmark.speed;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.federation.Phase;
import org.fedlora4j.federation.PhaseAggregation;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.optimizer.ServerOptimizer;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * Times what a server does with the updates of one phase: it checks and aggregates them, with one thread. The phase is one
 * of the recipe {@code fedlora-optimizer}. Of the model only the sizes matter, so {@code config.json} is all that MODEL must
 * hold.
 */
public final class AggregationBenchmark {
    private AggregationBenchmark() {}

    public static void main(String[] texts) throws IOException {
        Arguments arguments =
                Arguments.parse(texts, List.of("MODEL", "UPDATES", "PHASE"), Set.of("rank", "steps", "warm-up"));
        int count = arguments.number("UPDATES");
        Phase phase = RecipeFile.load("fedlora-optimizer").phases().stream()
                .filter(one -> one.name().equals(arguments.text("PHASE")))
                .findFirst()
                .orElseThrow();
        SharedParts shared = shared(
                LlamaConfig.read(arguments.path("MODEL").resolve("config.json")),
                MeasuredModel.lora(arguments.number("rank", 8)));
        // All send the same: that changes no time.
        PartValues values = shared.values(phase.share());
        SortedMap<String, Long> weights = new TreeMap<>();
        for (int client = 0; client < count; client++) {
            weights.put("client-" + client, 1L);
        }
        List<Double> millis =
                Measurement.time(arguments.number("warm-up", Measurement.WARM_UP), arguments.number("steps", 5), () -> {
                    PhaseAggregation aggregation = new PhaseAggregation(shared, phase, weights);
                    weights.forEach((client, weight) ->
                            aggregation.add(new SharedUpdate(client, phase, 0, shared, weight, Map.of(), values)));
                    aggregation.result(new ServerOptimizer(phase.server()));
                });
        double bytes = values.bytes(ClientData.FULL_RANK);
        System.out.println(Measurement.here(millis, 0, new TreeMap<>(Map.of("updateBytes", bytes)))
                .with("millisPerUpdate", Measurement.median(millis) / count)
                .toJson());
    }

    /** An adapter that has left its start, so that it has directions. */
    private static SharedParts shared(LlamaConfig model, LoraConfig lora) {
        SharedParts initial =
                new SharedParts(AdapterState.initial(lora, ModuleShape.of(model, lora), 1), MagnitudeAxis.ROW);
        PartValues b = initial.values(Set.of(Part.B));
        for (Matrix matrix : b.of(Part.B).values()) {
            for (int i = 0; i < matrix.values().length; i++) {
                matrix.values()[i] = (float) Math.sin(i);
            }
        }
        return initial.with(b);
    }
}
