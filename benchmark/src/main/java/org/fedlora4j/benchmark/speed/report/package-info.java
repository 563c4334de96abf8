/**
 * Runs the measuring programs of {@link org.fedlora4j.benchmark.speed} and their peers in turn, and makes tables and
 * pictures of what they found.
 */
@NullMarked
package org.fedlora4j.benchmark.speed.report;

import org.jspecify.annotations.NullMarked;
