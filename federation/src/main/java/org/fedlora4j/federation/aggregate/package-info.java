/** Means over clients: of matrices, and of directions on the unit sphere. Knows nothing of models. */
@NullMarked
package org.fedlora4j.federation.aggregate;

import org.jspecify.annotations.NullMarked;
