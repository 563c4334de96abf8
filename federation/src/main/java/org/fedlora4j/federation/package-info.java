/** Recipes, the parts that are trained and shared, and the values that clients and server exchange. */
@NullMarked
package org.fedlora4j.federation;

import org.jspecify.annotations.NullMarked;
