/** Models of other formats made into checkpoints of fedlora4j. */
@NullMarked
package org.fedlora4j.converter;

import org.jspecify.annotations.NullMarked;
