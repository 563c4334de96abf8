package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Set;
import org.fedlora4j.model.exec.CpuFeatures;
import org.fedlora4j.model.exec.NativeRuntime;
import org.fedlora4j.model.exec.ProductLibrary;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
    @Test
    void jsonHoldsWhatTheTextShows() throws Exception {
        JsonNode report = new ObjectMapper().readTree(run("doctor", "--json"));
        String text = run("doctor");

        assertThat(report.at("/backend/library").asText()).startsWith("nd4j-native-");
        assertThat(report.at("/speed/f32Gflops").asDouble()).isPositive();
        assertThat(report.at("/speed/bf16Gflops").isNumber())
                .isEqualTo(report.at("/precision/precision").asText().equals("bf16"));
        assertThat(report.at("/products/version").isTextual())
                .isEqualTo(report.at("/products/failure").isNull());
        assertThat(report.at("/weights/read"))
                .contains(new TextNode(report.at("/precision/precision").asText()));
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
        CpuFeatures amx = new CpuFeatures("", Set.of("amx_tile", "amx_bf16"), 64);
        CpuFeatures noAmx = new CpuFeatures("", Set.of(), 2);
        NativeRuntime.Settings late = new NativeRuntime.Settings(List.of(), true);
        NativeRuntime.Settings fine = new NativeRuntime.Settings(List.of(), false);
        ProductLibrary none = new ProductLibrary(null, "no oneDNN here", false);
        ProductLibrary withoutAmx = new ProductLibrary("3.8.1", null, false);

        assertThat(DoctorReport.faster(noAmx, late, none, false))
                .satisfiesExactly(
                        line -> assertThat(line).contains("no oneDNN here"),
                        line -> assertThat(line).contains("Vector API"),
                        line -> assertThat(line).contains("too late"),
                        line -> assertThat(line).contains("processors"));
        assertThat(DoctorReport.faster(noAmx, fine, withoutAmx, true))
                .first()
                .asString()
                .startsWith("A CPU with AMX");
        assertThat(DoctorReport.faster(amx, fine, withoutAmx, true))
                .singleElement()
                .asString()
                .contains("ONEDNN_MAX_CPU_ISA");
        assertThat(DoctorReport.faster(amx, fine, new ProductLibrary("3.8.1", null, true), true))
                .isEmpty();
    }

    private static String run(String... arguments) {
        StringWriter out = new StringWriter();
        assertThat(Main.run(Main.commandLine().setOut(new PrintWriter(out, true)), arguments))
                .isZero();
        return out.toString();
    }
}
