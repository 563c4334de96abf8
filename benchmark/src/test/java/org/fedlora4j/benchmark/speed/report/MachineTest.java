package org.fedlora4j.benchmark.speed.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.fedlora4j.benchmark.Environment;
import org.fedlora4j.model.exec.CpuFeatures;
import org.junit.jupiter.api.Test;

class MachineTest {
    private static Machine machine(String cpu, String... flags) {
        return new Machine(
                new CpuFeatures(cpu, Set.of(flags), 2),
                new Environment(
                        "0123456789abcdef",
                        new Environment.Machine(cpu, 2, 1, "Linux amd64"),
                        "f32",
                        new TreeMap<>(Map.of("nd4j", "1.0.0"))));
    }

    @Test
    void itsNameIsPartOfFileNames() {
        assertThat(machine("Intel(R) Xeon(R) Processor", "avx512f", "amx_tile", "amx_bf16")
                        .slug())
                .isEqualTo("intel-xeon-processor-amx");
        assertThat(machine("AMD EPYC 9V74 80-Core Processor", "avx2", "avx512f").slug())
                .isEqualTo("amd-epyc-9v74-80-core-processor-avx512");
        assertThat(machine("aarch64").slug()).isEqualTo("aarch64");
    }

    @Test
    void describesAllThatMatters() {
        assertThat(machine("CPU", "avx2", "sse").describe(2, Map.of("torch", "2.15.0")))
                .startsWith("CPU (avx2), 2 threads; fedlora4j 0123456789ab, ND4J 1.0.0, Java ")
                .endsWith("; torch 2.15.0");
    }
}
