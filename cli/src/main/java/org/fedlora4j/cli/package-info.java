/** The {@code fedlora} command: one class for each of its subcommands. */
@NullMarked
package org.fedlora4j.cli;

import org.jspecify.annotations.NullMarked;
