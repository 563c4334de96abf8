package org.fedlora4j.model.exec;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Memory in pages of the operating system, by address: {@code mmap} and its kin on Linux and macOS, the C library's heap
 * elsewhere. What is freed here is the system's again at once; the C library keeps freed blocks of up to 32 MiB.
 */
public final class Pages {
    /** Linux's huge page on x86-64. What is smaller gains nothing by them. */
    private static final long HUGE_PAGE = 2 << 20;

    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = Platform.isMac() ? 0x1000 : 0x20;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_HUGEPAGE = 14;
    private static final int O_RDONLY = 0;
    private static final int NO_FILE = -1;
    private static final NativeLong ZERO = new NativeLong(0);

    private Pages() {}

    /** Whether this system has {@code mmap}. */
    public static boolean canMap() {
        return Platform.isLinux() || Platform.isMac();
    }

    /**
     * Allocates memory. Blocks of some size are zeroed, and in huge pages where the system allows it: a page is then
     * touched first in a five hundredth of the calls to the kernel.
     *
     * @throws OutOfMemoryError if there is not so much
     */
    public static long allocate(long bytes) {
        if (!isMapped(bytes)) {
            long address = Native.malloc(Math.max(1, bytes));
            if (address == 0) {
                throw new OutOfMemoryError(bytes + " bytes of native memory");
            }
            return address;
        }
        try {
            Pointer block = C.INSTANCE.mmap(
                    Pointer.NULL,
                    new NativeLong(bytes),
                    PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS,
                    NO_FILE,
                    ZERO);
            if (Platform.isLinux()) {
                // Only advice: a kernel without huge pages refuses it.
                C.INSTANCE.madvise(block, new NativeLong(bytes), MADV_HUGEPAGE);
            }
            return Pointer.nativeValue(block);
        } catch (LastErrorException e) {
            OutOfMemoryError error = new OutOfMemoryError(bytes + " bytes of native memory: " + e.getMessage());
            error.initCause(e);
            throw error;
        }
    }

    /** Frees what {@link #allocate} gave for so many bytes. */
    public static void free(long address, long bytes) {
        if (isMapped(bytes)) {
            unmap(address, bytes);
        } else {
            Native.free(address);
        }
    }

    private static boolean isMapped(long bytes) {
        return bytes >= HUGE_PAGE && canMap();
    }

    /** Maps the first bytes of a file, of any length, read-only; see {@link #canMap}. */
    public static long map(Path path, long bytes) throws IOException {
        try {
            int descriptor = C.INSTANCE.open(path.toAbsolutePath().toString(), O_RDONLY);
            try {
                return Pointer.nativeValue(
                        C.INSTANCE.mmap(Pointer.NULL, new NativeLong(bytes), PROT_READ, MAP_PRIVATE, descriptor, ZERO));
            } finally {
                C.INSTANCE.close(descriptor);
            }
        } catch (LastErrorException e) {
            throw new IOException(path + ": can't be mapped into memory: " + e.getMessage(), e);
        }
    }

    /** Undoes {@link #map}. */
    public static void unmap(long address, long bytes) {
        C.INSTANCE.munmap(new Pointer(address), new NativeLong(bytes));
    }

    /**
     * Takes a part of a mapped file out of this process's memory. It can be read as before, from the system's copy of
     * the file or the file.
     */
    public static void evict(long address, long bytes) {
        long page = C.INSTANCE.getpagesize();
        long begin = address / page * page;
        // Pages that this part shares with its neighbours go too, and come back like all others.
        C.INSTANCE.madvise(new Pointer(begin), new NativeLong(address + bytes - begin), MADV_DONTNEED);
    }

    /** The C library; sizes and offsets have a pointer's width on the 64-bit systems that ND4J runs on. */
    private interface C extends Library {
        C INSTANCE = Native.load("c", C.class);

        int open(String path, int flags) throws LastErrorException;

        int close(int descriptor) throws LastErrorException;

        Pointer mmap(Pointer address, NativeLong length, int protection, int flags, int descriptor, NativeLong offset)
                throws LastErrorException;

        int munmap(Pointer address, NativeLong length);

        int madvise(Pointer address, NativeLong length, int advice);

        int getpagesize();
    }
}
