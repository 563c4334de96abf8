/** Text to token ids and back, instruction prompts, and the labels that train on the response alone. */
@NullMarked
package org.fedlora4j.tokenizer;

import org.jspecify.annotations.NullMarked;
