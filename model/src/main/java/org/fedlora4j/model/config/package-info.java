/** The settings of a LLaMA model: Hugging Face's {@code config.json}, checked. */
@NullMarked
package org.fedlora4j.model.config;

import org.jspecify.annotations.NullMarked;
