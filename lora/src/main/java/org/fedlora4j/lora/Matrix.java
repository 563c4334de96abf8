package org.fedlora4j.lora;

import java.util.Arrays;

/**
 * A float32 matrix on the Java heap, row-major: element (i, j) is {@code values()[i * columns() + j]}. Two matrices are
 * equal when shape and bits are. Sums over elements are taken in double, in index order.
 */
public final class Matrix {
    private final int rows;
    private final int columns;
    private final float[] values;

    private Matrix(int rows, int columns, float[] values) {
        this.rows = rows;
        this.columns = columns;
        this.values = values;
    }

    /** A matrix around {@code values}, which is not copied and belongs to the matrix from now on. */
    public static Matrix of(int rows, int columns, float... values) {
        if (rows < 1 || columns < 1 || (long) rows * columns != values.length) {
            throw new IllegalArgumentException("values: " + values.length + ", a matrix of [" + rows + ", " + columns
                    + "] wants rows * columns of them, and at least one");
        }
        return new Matrix(rows, columns, values);
    }

    public static Matrix zeros(int rows, int columns) {
        return of(rows, columns, new float[Math.multiplyExact(rows, columns)]);
    }

    public int rows() {
        return rows;
    }

    public int columns() {
        return columns;
    }

    /** The array itself, row-major. Who writes to it must be the only holder of this matrix. */
    public float[] values() {
        return values;
    }

    public float get(int row, int column) {
        return values[row * columns + column];
    }

    /** A copy of one row, [columns]. */
    public float[] row(int row) {
        return Arrays.copyOfRange(values, row * columns, (row + 1) * columns);
    }

    public Matrix copy() {
        return new Matrix(rows, columns, values.clone());
    }

    public Matrix transpose() {
        float[] transposed = new float[values.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                transposed[j * rows + i] = values[i * columns + j];
            }
        }
        return new Matrix(columns, rows, transposed);
    }

    public boolean sameShape(Matrix other) {
        return rows == other.rows && columns == other.columns;
    }

    public boolean isZero() {
        for (float value : values) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }

    public boolean isFinite() {
        for (float value : values) {
            if (!Float.isFinite(value)) {
                return false;
            }
        }
        return true;
    }

    /** As in messages: {@code [8, 576]}. */
    public String shape() {
        return "[" + rows + ", " + columns + "]";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Matrix that
                && rows == that.rows
                && columns == that.columns
                && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * rows + columns) + Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return "Matrix" + shape();
    }
}
