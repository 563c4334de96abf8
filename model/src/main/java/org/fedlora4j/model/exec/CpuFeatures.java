package org.fedlora4j.model.exec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the CPU can do, as the operating system names it.
 *
 * @param modelName the CPU's name, or the architecture's where there is none
 * @param flags instruction set extensions in the spelling of Linux, such as {@code avx512f} or {@code amx_bf16}; empty
 *     where the system doesn't list them
 * @param processors logical processors this JVM may use
 */
public record CpuFeatures(String modelName, Set<String> flags, int processors) {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    /** The flags that decide how fast a matmul runs, slowest first; for display. */
    private static final List<String> MATMUL_FLAGS = List.of(
            "avx",
            "avx2",
            "fma",
            "f16c",
            "avx512f",
            "avx512_vnni",
            "avx512_bf16",
            "amx_tile",
            "amx_bf16",
            "asimd",
            "bf16",
            "sve");

    public CpuFeatures {
        flags = Collections.unmodifiableSortedSet(new TreeSet<>(flags));
    }

    /** Reads {@code /proc/cpuinfo}; elsewhere than on Linux only the architecture and the processors are known. */
    public static CpuFeatures detect() {
        try {
            return parse(Files.isReadable(CPU_INFO) ? Files.readAllLines(CPU_INFO) : List.of());
        } catch (IOException e) {
            return parse(List.of());
        }
    }

    /** Takes the first processor's entries; x86 says {@code flags}, ARM says {@code Features}. */
    static CpuFeatures parse(List<String> cpuInfo) {
        String flags = value(cpuInfo, "flags", value(cpuInfo, "Features", ""));
        return new CpuFeatures(
                value(cpuInfo, "model name", System.getProperty("os.arch", "unknown")),
                flags.isEmpty() ? Set.of() : Set.of(flags.split(" +")),
                Runtime.getRuntime().availableProcessors());
    }

    private static String value(List<String> cpuInfo, String key, String otherwise) {
        return cpuInfo.stream()
                .map(line -> line.split(":", 2))
                .filter(pair -> pair.length == 2 && pair[0].strip().equals(key))
                .map(pair -> pair[1].strip())
                .findFirst()
                .orElse(otherwise);
    }

    /** Whether the CPU multiplies bf16 tiles; using them also needs the kernel's permission, which oneDNN asks for. */
    public boolean hasAmxBf16() {
        return flags.contains("amx_tile") && flags.contains("amx_bf16");
    }

    /** Those of {@link #flags} that decide how fast a matmul runs, slowest first. */
    public List<String> matmulFlags() {
        return MATMUL_FLAGS.stream().filter(flags::contains).toList();
    }
}
