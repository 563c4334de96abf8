/** Whether a model computes what a reference says: logits, loss, hidden states and gradients. */
@NullMarked
package org.fedlora4j.benchmark.verify;

import org.jspecify.annotations.NullMarked;
