package org.fedlora4j.lora;

/** Along which vectors a matrix is split into magnitude and direction. */
public enum MagnitudeAxis {
    /** One magnitude per row, [rows, 1]; the directions are unit rows. */
    ROW,
    /** One magnitude per column, [1, columns]; the directions are unit columns. */
    COLUMN
}
