package org.fedlora4j.model.exec;

import org.fedlora4j.kernels.Product;
import org.jspecify.annotations.Nullable;

/**
 * What computes products here.
 *
 * @param version of oneDNN, or null where ND4J computes them
 * @param failure why oneDNN doesn't, or null where it does
 * @param amx whether oneDNN uses AMX
 */
public record ProductLibrary(
        @Nullable String version, @Nullable String failure, boolean amx) {
    /** Loads oneDNN, where it can read the backend's arrays. */
    public static ProductLibrary load() {
        if (!Backend.active().sharesMemory()) {
            return new ProductLibrary(null, "products run on the GPU, by cuBLAS", false);
        }
        return new ProductLibrary(Product.oneDnnVersion(), Product.failure(), Product.hasAmx());
    }
}
