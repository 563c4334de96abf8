package org.fedlora4j.benchmark;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Properties;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.federation.Fields;
import org.fedlora4j.kernels.Product;
import org.fedlora4j.model.exec.Backend;
import org.fedlora4j.model.exec.CpuFeatures;
import org.fedlora4j.model.exec.CudaDriver;
import org.fedlora4j.model.exec.Precision;

/**
 * Where a result was made.
 *
 * @param commit of fedlora4j, with {@code -dirty} where sources differ from it; {@code unknown} outside a clone
 * @param precision of products
 * @param versions by name: the JVM and the libraries that compute
 */
public record Environment(String commit, Machine machine, String precision, SortedMap<String, String> versions) {
    /** The computer, or what of it this JVM may use. */
    public record Machine(String cpu, int cores, long memoryBytes, String system) {}

    /** This process, with a precision that it computes in. */
    public static Environment here(Precision precision) throws IOException {
        CpuFeatures cpu = CpuFeatures.detect();
        var system = ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
        SortedMap<String, String> versions = new TreeMap<>();
        versions.put("java", System.getProperty("java.vm.name") + " " + System.getProperty("java.version"));
        versions.put("nd4j", mavenVersion("org.nd4j", "nd4j-api"));
        if (Backend.active() == Backend.CUDA) {
            versions.put(
                    "cuda",
                    "11.6, " + Objects.requireNonNull(CudaDriver.detect()).describe());
        } else {
            versions.put("onednn", Objects.toString(Product.oneDnnVersion(), "none"));
        }
        return new Environment(
                describeCommit(),
                new Machine(
                        cpu.modelName(),
                        cpu.processors(),
                        system.getTotalMemorySize(),
                        System.getProperty("os.name") + " " + System.getProperty("os.arch")),
                Fields.hyphenated(precision),
                versions);
    }

    private static String mavenVersion(String group, String artifact) throws IOException {
        String resource = "/META-INF/maven/" + group + "/" + artifact + "/pom.properties";
        try (InputStream in = Environment.class.getResourceAsStream(resource)) {
            Properties properties = new Properties();
            if (in != null) {
                properties.load(in);
            }
            return properties.getProperty("version", "unknown");
        }
    }

    /** Asks git about the folder of this class's jar. */
    private static String describeCommit() {
        try {
            Path jar = Path.of(Environment.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            String folder = Objects.toString(jar.toAbsolutePath().getParent(), ".");
            Process git = new ProcessBuilder(
                            "git", "-C", folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String commit = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return git.waitFor() == 0 ? commit : "unknown";
        } catch (IOException | URISyntaxException e) {
            return "unknown";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "unknown";
        }
    }
}
