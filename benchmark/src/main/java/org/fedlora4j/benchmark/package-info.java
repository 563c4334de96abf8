/** Experiments: a federated fine-tuning described by a file, run, evaluated and recorded in a folder. */
@NullMarked
package org.fedlora4j.benchmark;

import org.jspecify.annotations.NullMarked;
