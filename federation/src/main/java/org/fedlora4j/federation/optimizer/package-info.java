/** What the server does with an aggregate: a step towards it, with momentum or Adam, flat or on the sphere. */
@NullMarked
package org.fedlora4j.federation.optimizer;

import org.jspecify.annotations.NullMarked;
