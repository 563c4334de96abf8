/** GGUF, the file format of llama.cpp and ggml: its header, its metadata and its types of tensors. */
@NullMarked
package org.fedlora4j.converter.gguf;

import org.jspecify.annotations.NullMarked;
