/** Compiles SameDiff graphs into static plans and runs them. */
@NullMarked
package org.fedlora4j.model.exec;

import org.jspecify.annotations.NullMarked;
