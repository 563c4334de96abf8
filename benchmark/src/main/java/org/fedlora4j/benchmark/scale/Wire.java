package org.fedlora4j.benchmark.scale;

import java.util.Collection;
import java.util.List;
import org.fedlora4j.federation.Phase;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * What one client sends, and is sent in return: 4 bytes for each value of the parts that a phase shares.
 *
 * @param modules shapes of the adapted projections
 */
public record Wire(Collection<ModuleShape> modules, int rank) {
    public Wire {
        modules = List.copyOf(modules);
    }

    public static Wire of(LlamaConfig model, LoraConfig lora) {
        return new Wire(ModuleShape.of(model, lora).values(), lora.rank());
    }

    /** The values of a part, in all modules. */
    public long values(Part part, MagnitudeAxis axis) {
        boolean byRow = axis == MagnitudeAxis.ROW;
        return modules.stream()
                .mapToLong(module -> switch (part) {
                    case A, A_DIRECTION -> (long) rank * module.in();
                    case B, B_DIRECTION -> (long) rank * module.out();
                    case A_MAGNITUDE -> byRow ? rank : module.in();
                    case B_MAGNITUDE -> byRow ? module.out() : rank;
                })
                .sum();
    }

    /** The payload of an update. */
    public long bytes(Phase phase, MagnitudeAxis axis) {
        return Float.BYTES
                * phase.share().stream().mapToLong(part -> values(part, axis)).sum();
    }

    /** Of all of A and B. */
    public long bytesOfMatrices() {
        return Float.BYTES * (values(Part.A, MagnitudeAxis.ROW) + values(Part.B, MagnitudeAxis.ROW));
    }

    /** The payloads of a round after the warm-up. */
    public long bytesPerRound(Recipe recipe) {
        return recipe.round().stream()
                .mapToLong(phase -> bytes(phase, recipe.magnitudeAxis()))
                .sum();
    }
}
