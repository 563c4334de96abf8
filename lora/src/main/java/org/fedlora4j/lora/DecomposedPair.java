package org.fedlora4j.lora;

/**
 * One adapted projection as magnitudes and directions. By rows the magnitudes are [r, 1] and [out, 1], by columns
 * [1, in] and [1, r].
 *
 * @param aDirection [r, in], unit vectors along the axis
 * @param bDirection [out, r], unit vectors along the axis
 */
public record DecomposedPair(Matrix aDirection, Matrix aMagnitude, Matrix bDirection, Matrix bMagnitude) {
    static DecomposedPair of(LoraPair pair, MagnitudeAxis axis) {
        Decomposition.MagnitudeAndDirection a = Decomposition.decompose(pair.a(), axis);
        Decomposition.MagnitudeAndDirection b = Decomposition.decompose(pair.b(), axis);
        return new DecomposedPair(a.direction(), a.magnitude(), b.direction(), b.magnitude());
    }

    LoraPair recompose(MagnitudeAxis axis) {
        return new LoraPair(
                Decomposition.recompose(aMagnitude, aDirection, axis),
                Decomposition.recompose(bMagnitude, bDirection, axis));
    }
}
