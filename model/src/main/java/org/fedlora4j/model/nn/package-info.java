/** The building blocks of a decoder layer, as SameDiff graphs. */
@NullMarked
package org.fedlora4j.model.nn;

import org.jspecify.annotations.NullMarked;
