/** LoRA adapters: their settings, their values, their decomposition, PEFT files and training. */
@NullMarked
package org.fedlora4j.lora;

import org.jspecify.annotations.NullMarked;
