/** Main classes of a screen each that convert, train and evaluate; the README shows how to run them. */
@NullMarked
package org.fedlora4j.examples;

import org.jspecify.annotations.NullMarked;
