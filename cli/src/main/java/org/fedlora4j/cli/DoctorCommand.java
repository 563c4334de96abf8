package org.fedlora4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.fedlora4j.model.exec.CpuFeatures;
import org.fedlora4j.model.exec.NativeRuntime;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.exec.ProductLibrary;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Prints what this machine offers: backend, CPU, precision, memory, measured speed, and what would be faster. */
@Command(
        name = "doctor",
        description = "Show backend, CPU features, precision, memory and measured speed of products.",
        footer = {"", "Example:", "  ./fedlora doctor --json"})
final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "Print JSON: memory in bytes, speed in GFLOP/s.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        DoctorReport report = DoctorReport.examine();
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(new ObjectMapper()
                    .enable(SerializationFeature.INDENT_OUTPUT, SerializationFeature.WRITE_ENUMS_USING_TO_STRING)
                    .writeValueAsString(report));
        } else {
            print(report, out);
        }
        return 0;
    }

    private static void print(DoctorReport report, PrintWriter out) {
        DoctorReport.Nd4jBackend backend = report.backend();
        CpuFeatures cpu = report.cpu();
        line(out, "backend", backend.name() + ", " + backend.library());
        backend.gpus().forEach(gpu -> line(out, "gpu", gpu.describe()));
        line(out, "java", backend.java() + ", " + backend.system());
        line(out, "cpu", cpu.modelName() + " (" + String.join(" ", cpu.matmulFlags()) + ")");
        line(out, "threads", backend.threads() + " on " + cpu.processors() + " processors");
        DoctorReport.Memory memory = report.memory();
        line(
                out,
                "memory",
                gibibytes(memory.total()) + ", " + gibibytes(memory.available()) + " available, Java heap up to "
                        + gibibytes(memory.javaHeap()));
        Precision.Choice precision = report.precision();
        line(out, "products", products(report.products()));
        line(out, "precision", precision.precision() + ": " + precision.reason());
        DoctorReport.Speed speed = report.speed();
        line(out, "f32", gigaflops(speed.f32Gflops()));
        line(out, "bf16", speed.bf16Gflops() == null ? "not measured" : gigaflops(speed.bf16Gflops()));
        DoctorReport.Weights weights = report.weights();
        line(
                out,
                "weights",
                "multiplied as they are: " + String.join(", ", weights.read())
                        + (weights.cast().isEmpty() ? "" : "; cast: " + String.join(", ", weights.cast())));
        line(out, "kernels", report.fusedKernels() ? "fused, Vector API" : "ND4J's ops");
        for (NativeRuntime.Setting setting : report.runtime().settings()) {
            String value = setting.value() == null ? " left as it is" : "=" + setting.value();
            line(out, "setting", setting.name() + value + ": " + setting.reason());
        }
        report.faster().forEach(faster -> line(out, "faster", faster));
    }

    private static String products(ProductLibrary products) {
        return products.version() == null
                ? "ND4J's: " + products.failure()
                : "oneDNN " + products.version() + (products.amx() ? ", with AMX" : ", without AMX");
    }

    private static void line(PrintWriter out, String name, String text) {
        out.printf("%-10s %s%n", name, text);
    }

    private static String gibibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f GiB", bytes / 1024.0 / 1024.0 / 1024.0);
    }

    private static String gigaflops(double speed) {
        return String.format(Locale.ROOT, "%.0f GFLOP/s, 512 x 4096 by 4096 x 4096", speed);
    }
}
