package org.fedlora4j.federation;

import org.fedlora4j.federation.aggregate.Aggregator;
import org.fedlora4j.federation.aggregate.DirectionMean;
import org.fedlora4j.federation.aggregate.ProductSvd;
import org.fedlora4j.federation.aggregate.WeightedMean;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/** How a phase makes one value of the clients'. Matrices and magnitudes get the weighted mean, but for {@link #PRODUCT_SVD}. */
public enum Aggregation {
    /** The weighted mean, for phases that share no direction. */
    MEAN,
    /** Directions get the normalized weighted mean. */
    SPHERE_MEAN,
    /** Directions get the Fréchet mean on the sphere. */
    KARCHER,
    /** For phases that share A and B: not these are averaged, but their products, see {@link ProductSvd}. */
    PRODUCT_SVD;

    /**
     * The aggregator of one tensor.
     *
     * @param current the server's value, before this round
     */
    Aggregator aggregatorOf(Part part, Matrix current, MagnitudeAxis axis) {
        if (!part.isDirection()) {
            return new WeightedMean(current);
        }
        return switch (this) {
            case SPHERE_MEAN -> DirectionMean.arithmetic(current, axis);
            case KARCHER -> DirectionMean.karcher(current, axis);
            case MEAN, PRODUCT_SVD ->
                throw new IllegalStateException("a phase with directions has an aggregator for them");
        };
    }
}
