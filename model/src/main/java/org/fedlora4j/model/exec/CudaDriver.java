package org.fedlora4j.model.exec;

import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * NVIDIA's driver and the GPUs that it shows this process, asked through the driver's own library, before ND4J loads: ND4J
 * finds out by failing, with stack traces.
 *
 * @param version the newest CUDA that the driver supports, 1000 · major + 10 · minor
 * @param status what {@code cuInit} returned; 0 for success
 */
public record CudaDriver(int version, int status, List<Gpu> gpus) {
    /** A GPU with its compute capability and memory. */
    public record Gpu(String name, int major, int minor, long memoryBytes) {
        String capability() {
            return major + "." + minor;
        }

        /** In one line, for display. */
        public String describe() {
            return name + ", compute capability " + capability() + ", " + (memoryBytes >> 20) + " MiB";
        }

        /** A binary for a compute capability runs on later ones of the same major version. */
        boolean hasKernels() {
            return KERNELS.stream().anyMatch(kernel -> kernel / 10 == major && kernel % 10 <= minor);
        }
    }

    private static final String LIBRARY = "libcuda.so.1";

    /** Compute capabilities, times 10, of the machine code in libnd4jcuda.so 1.0.0-M2.1; it holds no PTX. */
    private static final List<Integer> KERNELS = List.of(37, 50, 52, 60, 61, 70, 75, 80, 86);

    /** Of all of CUDA 11: its releases run on each other's drivers. */
    private static final int OLDEST_VERSION = 11_000;

    private static final String WANTED_DRIVER = "driver 450.80.02 or newer (CUDA 11)";

    private static final int SUCCESS = 0;
    private static final int NO_DEVICE = 100;
    private static final int CAPABILITY_MAJOR = 75;
    private static final int CAPABILITY_MINOR = 76;
    private static final int NAME_BYTES = 256;

    public CudaDriver {
        gpus = List.copyOf(gpus);
    }

    /** The driver of this machine, or null where there is none. */
    public static @Nullable CudaDriver detect() {
        NativeLibrary library;
        try {
            library = NativeLibrary.getInstance(LIBRARY);
        } catch (UnsatisfiedLinkError e) {
            return null;
        }
        IntByReference version = new IntByReference();
        call(library, "cuDriverGetVersion", version);
        int status = call(library, "cuInit", 0);
        return new CudaDriver(version.getValue(), status, status == SUCCESS ? gpus(library) : List.of());
    }

    private static List<Gpu> gpus(NativeLibrary library) {
        IntByReference count = new IntByReference();
        call(library, "cuDeviceGetCount", count);
        List<Gpu> gpus = new ArrayList<>();
        for (int i = 0; i < count.getValue(); i++) {
            IntByReference device = new IntByReference();
            call(library, "cuDeviceGet", device, i);
            LongByReference memory = new LongByReference();
            call(library, "cuDeviceTotalMem_v2", memory, device.getValue());
            try (Memory name = new Memory(NAME_BYTES)) {
                name.clear();
                call(library, "cuDeviceGetName", name, NAME_BYTES, device.getValue());
                gpus.add(new Gpu(
                        name.getString(0),
                        attribute(library, CAPABILITY_MAJOR, device.getValue()),
                        attribute(library, CAPABILITY_MINOR, device.getValue()),
                        memory.getValue()));
            }
        }
        return gpus;
    }

    private static int attribute(NativeLibrary library, int attribute, int device) {
        IntByReference value = new IntByReference();
        call(library, "cuDeviceGetAttribute", value, attribute, device);
        return value.getValue();
    }

    private static int call(NativeLibrary library, String function, Object... arguments) {
        return library.getFunction(function).invokeInt(arguments);
    }

    /** Why ND4J's CUDA backend can't run with a driver and what to do, in part of a sentence; null where it can. */
    static @Nullable String problem(@Nullable CudaDriver driver) {
        if (driver == null) {
            return "there is no NVIDIA driver (" + LIBRARY + " can't be loaded): install " + WANTED_DRIVER;
        }
        if (driver.status == NO_DEVICE || (driver.status == SUCCESS && driver.gpus.isEmpty())) {
            return "the NVIDIA driver finds no GPU: see that nvidia-smi lists one and CUDA_VISIBLE_DEVICES doesn't hide it";
        }
        if (driver.status != SUCCESS) {
            return "the NVIDIA driver fails with error " + driver.status + ": see that nvidia-smi works";
        }
        if (driver.version < OLDEST_VERSION) {
            return "the NVIDIA driver is for CUDA " + driver.version / 1000 + "." + driver.version % 1000 / 10
                    + ": install " + WANTED_DRIVER;
        }
        // ND4J prepares every GPU that it sees, so one that can't be used spoils the others.
        return driver.gpus.stream()
                .filter(gpu -> !gpu.hasKernels())
                .findFirst()
                .map(driver::withoutKernels)
                .orElse(null);
    }

    private String withoutKernels(Gpu gpu) {
        Optional<Gpu> other = gpus.stream().filter(Gpu::hasKernels).findFirst();
        return "GPU " + gpus.indexOf(gpu) + " (" + gpu.name + ") has compute capability " + gpu.capability()
                + ", and nd4j-cuda-11.6 has kernels for 3.7 and 5.0 to 8.9 only: "
                + other.map(able -> "set CUDA_VISIBLE_DEVICES so that only such GPUs are seen, as " + able.name + " is")
                        .orElse("use such a GPU, up to Ampere or Ada");
    }

    /** The GPUs in one line, for display. */
    public String describe() {
        return gpus.stream().map(Gpu::describe).collect(Collectors.joining("; "));
    }
}
