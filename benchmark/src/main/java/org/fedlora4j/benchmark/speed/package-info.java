/** Timed beside a peer by the scripts in {@code benchmark/peers}. */
@NullMarked
package org.fedlora4j.benchmark.speed;

import org.jspecify.annotations.NullMarked;
