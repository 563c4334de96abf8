package org.fedlora4j.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Plays the hub for checks by hand, such as with huggingface_hub and HF_ENDPOINT. */
public final class ServeFolder {
    private static final int LARGE = 1 << 20;

    private ServeFolder() {}

    /** Serves a folder as {@code org/model} until it is killed, and prints the endpoint. */
    public static void main(String[] arguments) throws IOException {
        FakeHub hub = new FakeHub();
        Path folder = Path.of(arguments[0]);
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.filter(Files::isRegularFile).toList()) {
                String name = folder.relativize(path).toString();
                byte[] content = Files.readAllBytes(path);
                if (content.length > LARGE) {
                    hub.withLarge(name, content);
                } else {
                    hub.with(name, content);
                }
            }
        }
        System.out.println(hub.endpoint());
    }
}
