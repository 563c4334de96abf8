/** The model, the data and the story of {@code fedlora demo}: all of it made by the project itself. */
@NullMarked
package org.fedlora4j.benchmark.demo;

import org.jspecify.annotations.NullMarked;
