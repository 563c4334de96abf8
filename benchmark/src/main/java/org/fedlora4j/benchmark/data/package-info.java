/** Instruction data sets: JSON Lines, JSON, CSV, Parquet and Natural Instructions. */
@NullMarked
package org.fedlora4j.benchmark.data;

import org.jspecify.annotations.NullMarked;
