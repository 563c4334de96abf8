/** What of an adapter differs between clients: directions and magnitudes of A and B. */
@NullMarked
package org.fedlora4j.benchmark.analysis;

import org.jspecify.annotations.NullMarked;
