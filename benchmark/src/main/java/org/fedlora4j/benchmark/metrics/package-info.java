/** Scores of generated text and of token predictions. */
@NullMarked
package org.fedlora4j.benchmark.metrics;

import org.jspecify.annotations.NullMarked;
