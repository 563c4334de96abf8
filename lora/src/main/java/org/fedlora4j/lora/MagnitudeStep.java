package org.fedlora4j.lora;

/** What of a magnitude is trained, from its value m0 at the start of a phase. */
public enum MagnitudeStep {
    /** A relative change delta, {@code m = m0 (1 + delta)}: the learning rate does not depend on the magnitude's size. */
    MULTIPLICATIVE,
    /** The magnitude itself. */
    ADDITIVE
}
