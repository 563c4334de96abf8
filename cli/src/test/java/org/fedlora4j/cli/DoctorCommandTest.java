package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Set;
import org.fedlora4j.model.exec.CpuFeatures;
import org.fedlora4j.model.exec.NativeRuntime;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
    @Test
    void jsonHoldsWhatTheTextShows() throws Exception {
        JsonNode report = new ObjectMapper().readTree(run("doctor", "--json"));
        String text = run("doctor");

        assertThat(report.at("/backend/library").asText()).startsWith("nd4j-native-");
        assertThat(report.at("/speed/f32Gflops").asDouble()).isPositive();
        assertThat(report.at("/speed/bf16Gflops").isNumber())
                .isEqualTo(report.at("/runtime/amx").asBoolean());
        assertThat(report.at("/memory/available").asLong())
                .isBetween(1L, report.at("/memory/total").asLong());
        assertThat(report.at("/runtime/late").asBoolean(true)).isFalse();
        assertThat(text)
                .contains(report.at("/backend/library").asText())
                .contains(report.at("/cpu/modelName").asText())
                .contains(report.at("/precision/reason").asText())
                .contains("GFLOP/s");
    }

    @Test
    void saysWhatWouldBeFaster() {
        CpuFeatures amx = new CpuFeatures("", Set.of("amx_tile", "amx_bf16"), 2);
        CpuFeatures many = new CpuFeatures("", Set.of(), 64);
        NativeRuntime.Settings amxOff = new NativeRuntime.Settings(List.of(), false, true);
        NativeRuntime.Settings fine = new NativeRuntime.Settings(List.of(), true, false);

        assertThat(DoctorReport.faster(amx, amxOff, "nd4j-native-linux-x86_64.jar", false))
                .satisfiesExactly(
                        line -> assertThat(line).contains("oneDNN"),
                        line -> assertThat(line).contains("Vector API"),
                        line -> assertThat(line).contains("too late"),
                        line -> assertThat(line).contains("AMX"),
                        line -> assertThat(line).contains("processors"));
        assertThat(DoctorReport.faster(many, fine, "x-onednn-avx2.jar", true)).isEmpty();
    }

    private static String run(String... arguments) {
        StringWriter out = new StringWriter();
        assertThat(Main.run(Main.commandLine().setOut(new PrintWriter(out, true)), arguments))
                .isZero();
        return out.toString();
    }
}
