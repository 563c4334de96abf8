/** A federation across machines: its server, its clients and what they say to each other, over gRPC. */
@NullMarked
package org.fedlora4j.grpc;

import org.jspecify.annotations.NullMarked;
