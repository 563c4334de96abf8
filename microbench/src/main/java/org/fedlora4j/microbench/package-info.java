/** Benchmarks by JMH of whatever costs more than a fiftieth of a training step. */
@NullMarked
package org.fedlora4j.microbench;

import org.jspecify.annotations.NullMarked;
