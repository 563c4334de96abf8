package org.fedlora4j.federation.aggregate;

import org.fedlora4j.lora.Matrix;

/**
 * Makes one value of what the clients sent for one tensor. The values come one by one, in client-id order; sums are taken
 * in double, in that order.
 */
public interface Aggregator {
    /**
     * Takes the next client's value.
     *
     * @param weight its share of all clients' weights, which sum to 1
     * @param value of the shape of the server's
     */
    void add(double weight, Matrix value);

    /** The new value. */
    Matrix aggregate();

    /** The mean resultant length of every vector (see {@link Sphere#resultant}), where the tensor is of directions. */
    default double[] resultants() {
        return new double[0];
    }
}
