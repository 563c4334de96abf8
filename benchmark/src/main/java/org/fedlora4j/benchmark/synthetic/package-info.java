/**
 * Checkpoints of made-up weights in the exact layout of real ones, so that what a model of seven billion parameters costs can
 * be measured without its download.
 */
@NullMarked
package org.fedlora4j.benchmark.synthetic;

import org.jspecify.annotations.NullMarked;
