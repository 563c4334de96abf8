/** What every module needs: errors of the user's input, files that appear whole, checksums, progress. */
@NullMarked
package org.fedlora4j.common;

import org.jspecify.annotations.NullMarked;
