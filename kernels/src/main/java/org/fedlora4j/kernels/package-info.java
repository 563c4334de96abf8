/** The small parts of a layer, fused: each reads and writes its arrays once, with Java's Vector API. */
@NullMarked
package org.fedlora4j.kernels;

import org.jspecify.annotations.NullMarked;
