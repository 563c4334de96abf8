/** Files that {@code torch.save} wrote: a dict of tensors, read without executing what the pickle asks for. */
@NullMarked
package org.fedlora4j.converter.torch;

import org.jspecify.annotations.NullMarked;
