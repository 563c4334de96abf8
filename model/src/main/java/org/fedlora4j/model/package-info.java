/** The LLaMA graph and its execution. */
@NullMarked
package org.fedlora4j.model;

import org.jspecify.annotations.NullMarked;
