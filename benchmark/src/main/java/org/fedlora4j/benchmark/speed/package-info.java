/**
 * Programs that measure one thing each, in a process of their own: they print one line of JSON, a
 * {@link org.fedlora4j.benchmark.speed.Measurement}, as the peers' programs in {@code benchmark/peers} do.
 */
@NullMarked
package org.fedlora4j.benchmark.speed;

import org.jspecify.annotations.NullMarked;
