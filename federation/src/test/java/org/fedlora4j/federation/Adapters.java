package org.fedlora4j.federation;

import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.federation.optimizer.ServerSettings;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LearningRateSchedule;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/** Small adapters and phases for tests. */
final class Adapters {
    static final String QUERY = "model.layers.0.self_attn.q_proj";
    static final String VALUE = "model.layers.0.self_attn.v_proj";

    private Adapters() {}

    /** Rank 2 on q (4 to 3) and v (4 to 2), all values random. */
    static SharedParts random(Random random, MagnitudeAxis axis) {
        SortedMap<String, LoraPair> modules = new TreeMap<>();
        modules.put(QUERY, new LoraPair(gaussian(random, 2, 4), gaussian(random, 3, 2)));
        modules.put(VALUE, new LoraPair(gaussian(random, 2, 4), gaussian(random, 2, 2)));
        return new SharedParts(new AdapterState(LoraConfig.of(2, 4, "q_proj", "v_proj"), modules), axis);
    }

    /** One module with A = [3, 4] and B as given, [out, 1]. */
    static SharedParts single(float... b) {
        LoraPair pair = new LoraPair(Matrix.of(1, 2, 3, 4), Matrix.of(b.length, 1, b));
        return new SharedParts(
                new AdapterState(LoraConfig.of(1, 1, "q_proj"), new TreeMap<>(Map.of(QUERY, pair))), MagnitudeAxis.ROW);
    }

    static PartValues values(Part part, Matrix value) {
        return new PartValues(new TreeMap<>(Map.of(part, new TreeMap<>(Map.of(QUERY, value)))));
    }

    static Phase phase(Set<Part> train, Set<Part> share) {
        boolean directions = share.stream().anyMatch(Part::isDirection);
        return new Phase(
                "phase",
                train,
                share,
                3,
                1e-3,
                LearningRateSchedule.CONSTANT,
                0,
                0,
                directions ? Aggregation.SPHERE_MEAN : Aggregation.MEAN,
                ServerSettings.AGGREGATE);
    }

    private static Matrix gaussian(Random random, int rows, int columns) {
        Matrix matrix = Matrix.zeros(rows, columns);
        for (int i = 0; i < matrix.values().length; i++) {
            matrix.values()[i] = (float) random.nextGaussian();
        }
        return matrix;
    }
}
