/** The model, its adapters and their training against PyTorch, transformers and PEFT: {@code ../shared/golden}. */
@NullMarked
package org.fedlora4j.tests.parity;

import org.jspecify.annotations.NullMarked;
