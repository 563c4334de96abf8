package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CpuFeaturesTest {
    @Test
    void readsX86() {
        CpuFeatures cpu = CpuFeatures.parse(List.of(
                "processor\t: 0",
                "model name\t: Some CPU: fast",
                "flags\t\t: fpu avx2 amx_bf16 avx amx_tile",
                "vmx flags\t: ept",
                "",
                "processor\t: 1",
                "model name\t: Another"));
        assertThat(cpu.modelName()).isEqualTo("Some CPU: fast");
        assertThat(cpu.flags()).containsExactlyInAnyOrder("fpu", "avx2", "amx_bf16", "avx", "amx_tile");
        assertThat(cpu.hasAmxBf16()).isTrue();
        assertThat(cpu.matmulFlags()).containsExactly("avx", "avx2", "amx_tile", "amx_bf16");
    }

    @Test
    void readsArm() {
        CpuFeatures cpu = CpuFeatures.parse(List.of("Features\t: fp asimd"));
        assertThat(cpu.modelName()).isEqualTo(System.getProperty("os.arch"));
        assertThat(cpu.flags()).containsExactlyInAnyOrder("fp", "asimd");
        assertThat(cpu.hasAmxBf16()).isFalse();
    }

    @Test
    void knowsTheProcessorsEvenWhereNothingIsListed() {
        CpuFeatures cpu = CpuFeatures.parse(List.of());
        assertThat(cpu.flags()).isEmpty();
        assertThat(cpu.processors()).isPositive();
    }
}
