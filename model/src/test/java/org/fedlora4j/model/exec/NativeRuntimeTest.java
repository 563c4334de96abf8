package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.NativeLibrary;
import java.util.Map;
import org.fedlora4j.model.exec.NativeRuntime.Kind;
import org.fedlora4j.model.exec.NativeRuntime.Setting;
import org.fedlora4j.model.exec.NativeRuntime.Settings;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class NativeRuntimeTest {
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
    void theUsersWaitPolicyStands() {
        assertThat(spinning(Map.of())).isEqualTo("1000");
        assertThat(spinning(Map.of("OMP_WAIT_POLICY", "PASSIVE"))).isNull();
        assertThat(spinning(Map.of("GOMP_SPINCOUNT", "0"))).isNull();
    }

    @Test
    void otherSystemsGetOnlyTheMemoryLimit() {
        Settings settings = NativeRuntime.decide(false, Map.of());
        assertThat(settings.settings()).extracting(Setting::kind).containsExactly(Kind.SYSTEM_PROPERTY);
    }

    private static @Nullable String spinning(Map<String, String> environment) {
        return NativeRuntime.decide(true, environment).settings().stream()
                .filter(setting -> setting.name().equals("GOMP_SPINCOUNT"))
                .findFirst()
                .orElseThrow()
                .value();
    }

    private static String inEffect(Setting setting) {
        return switch (setting.kind()) {
            case SYSTEM_PROPERTY -> System.getProperty(setting.name());
            case ENVIRONMENT ->
                NativeLibrary.getInstance("c").getFunction("getenv").invokeString(new Object[] {setting.name()}, false);
        };
    }
}
