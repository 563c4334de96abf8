package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.fedlora4j.benchmark.Environment;
import org.fedlora4j.model.exec.CpuFeatures;
import org.fedlora4j.model.exec.Precision;

/** Where something is measured. */
record Machine(CpuFeatures cpu, Environment environment) {
    /** @throws IOException if a library's version can't be read */
    static Machine here() throws IOException {
        return new Machine(
                CpuFeatures.detect(), Environment.here(Precision.choose("auto").precision()));
    }

    /** The CPU in a file's name: its own without marks, and the best extension that matmuls use. */
    String slug() {
        String extension = cpu.hasAmxBf16()
                ? "amx"
                : cpu.flags().contains("avx512f") ? "avx512" : cpu.flags().contains("avx2") ? "avx2" : "";
        return (cpu.modelName().replaceAll("\\((R|TM|tm|r)\\)", "") + " " + extension)
                .strip()
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9]+", "-");
    }

    /** The CPU, the threads used of it, and the versions of everything, in a sentence or two. */
    String describe(int threads, Map<String, String> peers) {
        String versions = peers.entrySet().stream()
                .map(version -> version.getKey() + " " + version.getValue())
                .collect(Collectors.joining(", "));
        return "%s (%s), %d threads; fedlora4j %.12s, ND4J %s, Java %s%s"
                .formatted(
                        cpu.modelName(),
                        String.join(" ", cpu.matmulFlags()),
                        threads,
                        environment.commit(),
                        environment.versions().getOrDefault("nd4j", "unknown"),
                        System.getProperty("java.version"),
                        versions.isEmpty() ? "" : "; " + versions);
    }
}
