package org.fedlora4j.model;

import java.util.Map;
import java.util.Optional;
import org.fedlora4j.kernels.LowRank;
import org.fedlora4j.model.nn.Projection;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What is added to a frozen model: it may replace any linear projection of any layer, and owns the variables that this
 * takes. Modules are named within their layer as in Hugging Face's checkpoints, {@code self_attn.q_proj} for one.
 */
public interface Adapter {
    /** The frozen model as it is. */
    Adapter NONE = new Adapter() {
        @Override
        public Optional<Map<String, LowRank>> additions(int layer) {
            return Optional.of(Map.of());
        }
    };

    /** Layers with equal layouts have the same graph but for the values of weights and variables. */
    default Object layout(int layer) {
        return "";
    }

    /**
     * The projection to use in place of {@code frozen}.
     *
     * @param rows N, the rows of a batch
     * @param training whether noise (dropout) is wanted; its placeholders are filled by {@link #fillNoise}
     */
    default Projection adapt(SameDiff graph, int layer, String module, Projection frozen, int rows, boolean training) {
        return frozen;
    }

    /** The arrays of the graph variables that {@link #adapt} made, by name. They stay the same objects. */
    default Map<String, INDArray> variables(int layer) {
        return Map.of();
    }

    /** Where the gradients of variables go, by the variable's name; those that are absent are not computed. */
    default Map<String, INDArray> gradients(int layer) {
        return Map.of();
    }

    /** Fills a noise placeholder that {@link #adapt} made; the same for a layer's forward and backward pass of a step. */
    default void fillNoise(int layer, String placeholder, INDArray target) {
        throw new IllegalArgumentException("no noise called " + placeholder);
    }

    /**
     * What {@link #adapt} amounts to without noise, with the variables' present values, where that is an addition to each
     * frozen projection: then tokens can be generated without running the graph.
     *
     * @return by module, those that are adapted only; nothing if it is more than that
     */
    default Optional<Map<String, LowRank>> additions(int layer) {
        return Optional.empty();
    }
}
