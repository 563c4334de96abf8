/** Pictures in SVG, written as text: no fonts, no display, the same bytes everywhere. */
@NullMarked
package org.fedlora4j.benchmark.pictures;

import org.jspecify.annotations.NullMarked;
