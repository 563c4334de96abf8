/** Weights in files: safetensors read through memory maps, written aligned, and the names of a LLaMA's parameters. */
@NullMarked
package org.fedlora4j.model.weights;

import org.jspecify.annotations.NullMarked;
