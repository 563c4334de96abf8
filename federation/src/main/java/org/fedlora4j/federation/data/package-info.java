/** Which client holds which records: partitions of one data set, and each client's training and test records. */
@NullMarked
package org.fedlora4j.federation.data;

import org.jspecify.annotations.NullMarked;
