package org.fedlora4j.lora;

import java.util.HashMap;
import java.util.Map;

/**
 * FedProx's term (arXiv 1812.06127, equation 2) in the loss of what is trained, {@code strength/2 · |x - x_shared|²}:
 * training at one client stays near what all share. x is a matrix, the free matrix of a direction, or a magnitude. Of a
 * magnitude that is trained by its relative change x is the factor m / m_shared and x_shared is 1, so that the pull does
 * not depend on the magnitude's scale; a shared magnitude of 0 has no factor and pulls at nothing.
 */
final class ProximalTerm {
    private final double strength;
    private final Map<String, Matrix> shared = new HashMap<>();

    /** m_start / m_shared of the magnitudes that are trained by their relative change. */
    private final Map<String, Matrix> startRatios = new HashMap<>();

    /** A term that pulls at nothing yet. */
    ProximalTerm(double strength) {
        this.strength = strength;
    }

    /** Pulls a parameter that is trained as it is. */
    void pull(String name, Matrix sharedValue) {
        shared.put(name, sharedValue);
    }

    /** Pulls a magnitude m that is trained by its relative change: m = start (1 + parameter). */
    void pullFactor(String name, Matrix start, Matrix sharedValue) {
        Matrix ratio = Matrix.zeros(start.rows(), start.columns());
        for (int i = 0; i < ratio.values().length; i++) {
            float divisor = sharedValue.values()[i];
            ratio.values()[i] = divisor == 0 ? 0 : start.values()[i] / divisor;
        }
        startRatios.put(name, ratio);
    }

    /** Adds the term's gradient at a parameter, in place; nothing for one that is not pulled. */
    void addGradient(String name, Matrix parameter, Matrix gradient) {
        float[] x = parameter.values();
        float[] g = gradient.values();
        Matrix target = shared.get(name);
        Matrix ratio = startRatios.get(name);
        for (int i = 0; i < x.length; i++) {
            if (target != null) {
                g[i] += (float) (strength * (x[i] - (double) target.values()[i]));
            } else if (ratio != null) {
                // f = ratio (1 + delta), so d(strength/2 (f - 1)²)/d delta = strength (f - 1) ratio
                double r = ratio.values()[i];
                g[i] += (float) (strength * (r * (1 + x[i]) - 1) * r);
            }
        }
    }
}
