/** Suites: methods compared on models and data sets over several seeds, and the statistics of the comparison. */
@NullMarked
package org.fedlora4j.benchmark.suite;

import org.jspecify.annotations.NullMarked;
