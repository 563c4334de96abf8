package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.jna.NativeLibrary;
import java.util.Map;
import java.util.Set;
import org.fedlora4j.model.exec.NativeRuntime.Kind;
import org.fedlora4j.model.exec.NativeRuntime.Setting;
import org.fedlora4j.model.exec.NativeRuntime.Settings;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class NativeRuntimeTest {
    private static final CpuFeatures AMX = new CpuFeatures("with AMX", Set.of("amx_tile", "amx_bf16"), 2);
    private static final CpuFeatures NO_AMX = new CpuFeatures("without AMX", Set.of("avx512_bf16", "amx_tile"), 2);
    private static final String ISA = "ONEDNN_MAX_CPU_ISA";

    @Test
    void whatTheSettingsSayIsWhatNativeCodeSees() {
        Settings settings = NativeRuntime.settings();
        assertThat(settings.settings()).isNotEmpty();
        for (Setting setting : settings.settings()) {
            if (setting.value() != null) {
                assertThat(inEffect(setting)).as(setting.name()).isEqualTo(setting.value());
            }
        }
        NativeRuntime.ensure();
        assertThat(NativeRuntime.settings()).isSameAs(settings);
    }

    @Test
    void nd4jMultipliesAfterwards() {
        NativeRuntime.ensure();
        INDArray a = Nd4j.createFromArray(new float[][] {{1, 2}, {3, 4}});
        assertThat(a.mmul(a)).isEqualTo(Nd4j.createFromArray(new float[][] {{7, 10}, {15, 22}}));
    }

    @Test
    void amxIsSwitchedOnWithTheCpusSupportAndTheKernelsPermission() {
        Settings settings = NativeRuntime.decide(true, AMX, Map.of(), () -> true);
        assertThat(settings.amx()).isTrue();
        assertThat(setting(settings, ISA).value()).isEqualTo("AVX512_CORE_AMX");
        assertThat(setting(settings, "DNNL_MAX_CPU_ISA").value()).isEqualTo("AVX512_CORE_AMX");
    }

    @Test
    void amxStaysOffWithoutThePermission() {
        Settings settings = NativeRuntime.decide(true, AMX, Map.of(), () -> false);
        assertThat(settings.amx()).isFalse();
        assertThat(setting(settings, ISA).value()).isNull();
        assertThat(setting(settings, ISA).reason()).contains("kernel");
    }

    @Test
    void amxStaysOffWhereTheCpuLacksItAndTheKernelIsNotAsked() {
        Settings settings = NativeRuntime.decide(true, NO_AMX, Map.of(), () -> fail("asked"));
        assertThat(settings.amx()).isFalse();
        assertThat(setting(settings, ISA).value()).isNull();
        assertThat(setting(settings, ISA).reason()).contains("CPU");
    }

    @Test
    void theUsersInstructionSetStandsUnderEitherName() {
        Settings settings = NativeRuntime.decide(true, AMX, Map.of("DNNL_MAX_CPU_ISA", "AVX2"), () -> true);
        assertThat(settings.amx()).isFalse();
        assertThat(setting(settings, ISA).value()).isNull();
        assertThat(setting(settings, ISA).reason()).contains("AVX2");

        Map<String, String> withAmx = Map.of(ISA, "AVX512_CORE_AMX");
        assertThat(NativeRuntime.decide(true, AMX, withAmx, () -> true).amx()).isTrue();
    }

    @Test
    void theUsersWaitPolicyStands() {
        assertThat(setting(NativeRuntime.decide(true, NO_AMX, Map.of(), () -> false), "GOMP_SPINCOUNT")
                        .value())
                .isEqualTo("1000");
        for (String name : new String[] {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}) {
            Settings settings = NativeRuntime.decide(true, NO_AMX, Map.of(name, "PASSIVE"), () -> false);
            assertThat(setting(settings, "GOMP_SPINCOUNT").value()).isNull();
        }
    }

    @Test
    void otherSystemsGetOnlyTheMemoryLimit() {
        Settings settings = NativeRuntime.decide(false, AMX, Map.of(), () -> fail("asked"));
        assertThat(settings.settings()).extracting(Setting::kind).containsExactly(Kind.SYSTEM_PROPERTY);
        assertThat(settings.amx()).isFalse();
    }

    private static Setting setting(Settings settings, String name) {
        return settings.settings().stream()
                .filter(setting -> setting.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static String inEffect(Setting setting) {
        return switch (setting.kind()) {
            case SYSTEM_PROPERTY -> System.getProperty(setting.name());
            case ENVIRONMENT ->
                NativeLibrary.getInstance("c").getFunction("getenv").invokeString(new Object[] {setting.name()}, false);
        };
    }
}
