/**
 * Checkpoints from the Hugging Face hub. Settings, the cache's layout and the hub's interface are those of its own
 * client, huggingface_hub 2.4 (constants.py, file_download.py, hf_api.py).
 */
@NullMarked
package org.fedlora4j.hub;

import org.jspecify.annotations.NullMarked;
