package org.fedlora4j.model.exec;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import org.nd4j.common.config.ND4JClassLoading;

/**
 * Shows ND4J's service loader one of the backends on the class path. Left alone, ND4J tries them by priority, prints a stack
 * trace for each that fails and takes the next, and nobody hears that the GPU is idle.
 */
final class OneBackend extends ClassLoader {
    private static final String SERVICE = "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend";

    private final String implementation;

    OneBackend(ClassLoader parent, Backend backend) {
        super(parent);
        this.implementation = backend.implementation();
    }

    /** Has ND4J find this backend only. */
    static void show(Backend backend) {
        ND4JClassLoading.setNd4jClassloader(new OneBackend(OneBackend.class.getClassLoader(), backend));
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
        if (!name.equals(SERVICE)) {
            return super.getResources(name);
        }
        List<URL> shown = new ArrayList<>();
        for (URL url : Collections.list(super.getResources(name))) {
            try (InputStream in = url.openStream()) {
                if (new String(in.readAllBytes(), StandardCharsets.UTF_8).contains(implementation)) {
                    shown.add(url);
                }
            }
        }
        return Collections.enumeration(shown);
    }
}
