package org.fedlora4j.cli;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.fedlora4j.model.exec.CpuFeatures;
import org.fedlora4j.model.exec.Kernel;
import org.fedlora4j.model.exec.NativeRuntime;
import org.fedlora4j.model.exec.Precision;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.cpu.nativecpu.bindings.Nd4jCpu;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What this machine offers, as {@code doctor} prints it.
 *
 * @param fusedKernels whether the small parts of a layer run as kernels of ours
 * @param faster what would make training faster here, a sentence each
 */
record DoctorReport(
        Backend backend,
        CpuFeatures cpu,
        Precision.Choice precision,
        Memory memory,
        Speed speed,
        NativeRuntime.Settings runtime,
        boolean fusedKernels,
        List<String> faster) {

    /**
     * ND4J's backend.
     *
     * @param library the archive that its native library was loaded from; its classifier tells the build
     * @param threads of the native operations
     */
    record Backend(String name, String library, int threads, String java, String system) {}

    /** In bytes; available is what can be had without swapping. */
    record Memory(long total, long available, long javaHeap) {
        static Memory read() {
            var system = ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
            return new Memory(
                    system.getTotalMemorySize(),
                    availableMemory(system.getFreeMemorySize()),
                    Runtime.getRuntime().maxMemory());
        }

        /** Linux counts reclaimable file caches as available; elsewhere only free memory is known. */
        private static long availableMemory(long free) {
            Path memInfo = Path.of("/proc/meminfo");
            if (!Files.isReadable(memInfo)) {
                return free;
            }
            try (Stream<String> lines = Files.lines(memInfo)) {
                return lines.filter(line -> line.startsWith("MemAvailable:"))
                        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                        .findFirst()
                        .orElse(free);
            } catch (IOException e) {
                return free;
            }
        }
    }

    /** Measured matmul speeds; bf16 is measured where AMX is there. */
    record Speed(double f32Gflops, @Nullable Double bf16Gflops) {}

    DoctorReport {
        faster = List.copyOf(faster);
    }

    /** Loads ND4J and measures; takes a few seconds. */
    static DoctorReport examine() {
        NativeRuntime.Settings runtime = NativeRuntime.settings();
        CpuFeatures cpu = CpuFeatures.detect();
        Speed speed = new Speed(
                MatmulSpeed.measure(DataType.FLOAT), runtime.amx() ? MatmulSpeed.measure(DataType.BFLOAT16) : null);
        Backend backend = new Backend(
                Nd4j.getBackend().getClass().getSimpleName(),
                library(),
                Nd4j.getEnvironment().maxThreads(),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.version"),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        return new DoctorReport(
                backend,
                cpu,
                Precision.choose("auto"),
                Memory.read(),
                speed,
                runtime,
                Kernel.available(),
                faster(cpu, runtime, backend.library(), Kernel.available()));
    }

    /** JavaCPP unpacks a library into a folder that has the archive's name. */
    private static String library() {
        for (Path folder = Path.of(Loader.load(Nd4jCpu.class)); folder != null; folder = folder.getParent()) {
            if (folder.toString().endsWith(".jar")) {
                return String.valueOf(folder.getFileName());
            }
        }
        return Loader.load(Nd4jCpu.class).replace(File.separatorChar, '/');
    }

    /** What would make training faster than it is with this CPU, these settings and this library. */
    static List<String> faster(CpuFeatures cpu, NativeRuntime.Settings runtime, String library, boolean fusedKernels) {
        List<String> faster = new ArrayList<>();
        if (!library.contains("onednn")) {
            faster.add("ND4J's oneDNN build: " + library + " was loaded");
        }
        if (!fusedKernels) {
            faster.add("Java's Vector API, which our kernels need: --add-modules=jdk.incubator.vector");
        }
        if (runtime.late()) {
            faster.add("Starting ND4J after NativeRuntime.ensure(): its settings came too late");
        }
        if (cpu.hasAmxBf16() && !runtime.amx()) {
            faster.add("AMX, which this CPU has and which is off: the settings above say why");
        }
        if (cpu.processors() < 8) {
            faster.add("More processors than " + cpu.processors() + ": matmuls run on all of them");
        }
        return faster;
    }
}
