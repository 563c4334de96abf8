package org.fedlora4j.cli;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.fedlora4j.model.exec.Backend;
import org.fedlora4j.model.exec.CpuFeatures;
import org.fedlora4j.model.exec.CudaDriver;
import org.fedlora4j.model.exec.Kernel;
import org.fedlora4j.model.exec.NativeRuntime;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.exec.ProductLibrary;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * What this machine offers, as {@code doctor} prints it.
 *
 * @param precision what {@code auto} is here
 * @param fusedKernels whether the small parts of a layer run as kernels of ours
 * @param faster what would make training faster here, a sentence each
 */
record DoctorReport(
        Nd4jBackend backend,
        CpuFeatures cpu,
        ProductLibrary products,
        Precision.Choice precision,
        Weights weights,
        Memory memory,
        Speed speed,
        NativeRuntime.Settings runtime,
        boolean fusedKernels,
        List<String> faster) {

    /**
     * ND4J's backend.
     *
     * @param library the archive that its native library was loaded from; its classifier tells the build
     * @param gpus that it computes on; none on the CPU
     * @param threads of the native operations
     */
    record Nd4jBackend(
            String name, String library, List<CudaDriver.Gpu> gpus, int threads, String java, String system) {}

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

    /** Types of a checkpoint's weights: which ones are multiplied as they are, mapped or copied, and which are cast. */
    record Weights(List<String> read, List<String> cast) {
        private static final int SIZE = 64;
        private static final SortedMap<String, DataType> TYPES =
                new TreeMap<>(Map.of("f32", DataType.FLOAT, "f16", DataType.FLOAT16, "bf16", DataType.BFLOAT16));

        static Weights in(Precision precision) {
            List<String> read = new ArrayList<>();
            List<String> cast = new ArrayList<>();
            TYPES.forEach((name, type) -> (precision.reads(Nd4j.create(type, SIZE, SIZE)) ? read : cast).add(name));
            return new Weights(read, cast);
        }
    }

    /** Measured speeds of a plan's product; bf16 is measured where {@code auto} chooses it. */
    record Speed(double f32Gflops, @Nullable Double bf16Gflops) {}

    DoctorReport {
        faster = List.copyOf(faster);
    }

    /**
     * Loads ND4J and measures; takes a few seconds.
     *
     * @throws org.fedlora4j.common.BadInputException if the backend can't be used here
     */
    static DoctorReport examine() {
        boolean onGpu = Backend.active() == Backend.CUDA;
        NativeRuntime.Settings runtime = NativeRuntime.settings();
        CpuFeatures cpu = CpuFeatures.detect();
        ProductLibrary products = ProductLibrary.load();
        Precision.Choice precision = Precision.choose("auto");
        Speed speed = new Speed(
                ProductSpeed.measure(Precision.F32),
                precision.precision() == Precision.BF16 ? ProductSpeed.measure(Precision.BF16) : null);
        CudaDriver driver = onGpu ? CudaDriver.detect() : null;
        Nd4jBackend backend = new Nd4jBackend(
                Nd4j.getBackend().getClass().getSimpleName(),
                library(),
                driver == null ? List.of() : driver.gpus(),
                Nd4j.getEnvironment().maxThreads(),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.version"),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        return new DoctorReport(
                backend,
                cpu,
                products,
                precision,
                Weights.in(precision.precision()),
                Memory.read(),
                speed,
                runtime,
                Kernel.available(),
                onGpu ? List.of() : faster(cpu, runtime, products, Kernel.available()));
    }

    /** JavaCPP unpacks a library into a folder that has the archive's name. */
    private static String library() {
        String library =
                Loader.load(NativeOpsHolder.getInstance().getDeviceNativeOps().getClass());
        for (Path folder = Path.of(library); folder != null; folder = folder.getParent()) {
            if (folder.toString().endsWith(".jar")) {
                return String.valueOf(folder.getFileName());
            }
        }
        return library.replace(File.separatorChar, '/');
    }

    /** What would make training faster than it is with this CPU, these settings and this library. */
    static List<String> faster(
            CpuFeatures cpu, NativeRuntime.Settings runtime, ProductLibrary products, boolean fusedKernels) {
        List<String> faster = new ArrayList<>();
        if (products.failure() != null) {
            faster.add("oneDNN for products, which ND4J computes here: " + products.failure());
        } else if (!cpu.hasAmxBf16()) {
            faster.add("A CPU with AMX, which multiplies bf16 several times as fast as f32");
        } else if (!products.amx()) {
            faster.add("AMX, which this CPU has and oneDNN may not use: the kernel doesn't permit it, or "
                    + "ONEDNN_MAX_CPU_ISA is set");
        }
        if (!fusedKernels) {
            faster.add("Fused kernels, without which there is no bf16 either: java @jvm.options, which adds the Vector "
                    + "API, without -Dfedlora.kernels=off");
        }
        if (runtime.late()) {
            faster.add("Starting ND4J after NativeRuntime.ensure(): its settings came too late");
        }
        if (cpu.processors() < 8) {
            faster.add("More processors than " + cpu.processors() + ": products run on all of them");
        }
        return faster;
    }
}
