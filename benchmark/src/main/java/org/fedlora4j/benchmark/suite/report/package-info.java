/** What a suite came to, for people: a page with tables and pictures, CSV, a table in Markdown. */
@NullMarked
package org.fedlora4j.benchmark.suite.report;

import org.jspecify.annotations.NullMarked;
