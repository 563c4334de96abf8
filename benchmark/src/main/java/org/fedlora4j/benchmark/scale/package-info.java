/** What a run costs, by formulas that are held against measurements: bytes on the wire, memory, time. */
@NullMarked
package org.fedlora4j.benchmark.scale;

import org.jspecify.annotations.NullMarked;
