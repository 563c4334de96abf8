package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;

/** SmolLM2-135M-Instruct, which lies packed beside the repository. */
public final class RealModel {
    private RealModel() {}

    /** Writes its Hugging Face checkpoint into a new folder, as the README's first step does. */
    public static void unpack(Path target) throws IOException, InterruptedException {
        Path models = Path.of(System.getProperty("fedlora.shared"), "models");
        Process unpack = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        models.resolve("Unpack.java").toString(),
                        models.resolve("smollm2-135m-instruct").toString(),
                        target.toString())
                .inheritIO()
                .start();
        assertThat(unpack.waitFor()).isZero();
    }
}
