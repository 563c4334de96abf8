/** The clients of a federation on a Spark cluster. */
@NullMarked
package org.fedlora4j.spark;

import org.jspecify.annotations.NullMarked;
