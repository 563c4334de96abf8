/** Tests across modules: golden parity, federation, commands, architecture. */
@NullMarked
package org.fedlora4j.tests;

import org.jspecify.annotations.NullMarked;
