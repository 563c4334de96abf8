package org.fedlora4j.federation.aggregate;

import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.Matrix;

/**
 * One client's value of one tensor.
 *
 * @param weight above 0, usually the number of training examples; only the ratios between clients matter
 */
public record Contribution(double weight, Matrix value) {
    public Contribution {
        if (!(weight > 0 && Double.isFinite(weight))) {
            throw new BadInputException("weight: " + weight + ", wanted a number above 0");
        }
    }
}
