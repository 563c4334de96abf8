package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.fedlora4j.kernels.Product.Operand;
import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;
import org.junit.jupiter.api.Test;

/** Whether AMX is used: oneDNN decides when it is loaded, so each case has a JVM of its own. */
class ProductAmxTest {
    /** Prints whether AMX is used, and by what bf16 is multiplied. */
    public static void main(String[] arguments) {
        System.out.println(Product.hasAmx() ? "AMX: " + implementation() : "no AMX");
    }

    private static String implementation() {
        Operand matrix = new Operand(Type.BF16, false, 64);
        Operand result = new Operand(Type.F32, false, 64);
        return Product.of(new Shape(64, 64, 64, matrix, matrix, result, Sum.NOTHING))
                .implementation();
    }

    @Test
    void whatIsSaidIsWhatIsDone() throws Exception {
        assertThat(inItsOwnJvm(Map.of())).matches("no AMX|AMX: .*_amx.*");
    }

    @Test
    void theUsersInstructionSetStandsUnderEitherName() throws Exception {
        assertThat(inItsOwnJvm(Map.of("ONEDNN_MAX_CPU_ISA", "AVX512_CORE"))).isEqualTo("no AMX");
        assertThat(inItsOwnJvm(Map.of("DNNL_MAX_CPU_ISA", "AVX2"))).isEqualTo("no AMX");
        String unbounded = inItsOwnJvm(Map.of());
        assertThat(inItsOwnJvm(Map.of("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_AMX"))).isEqualTo(unbounded);
    }

    private static String inItsOwnJvm(Map<String, String> environment) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@" + Path.of(System.getProperty("fedlora.root"), "jvm.options"),
                "-cp",
                System.getProperty("java.class.path"),
                ProductAmxTest.class.getName());
        builder.environment().keySet().removeAll(Set.of("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"));
        builder.environment().putAll(environment);
        Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return out.strip();
    }
}
