package org.fedlora4j.model.exec;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Sets what ND4J's native libraries read once, when they are loaded. Every class through which ND4J can be entered calls
 * {@link #ensure()} in its static initialiser, so that the command line, tests and users of the library run alike. It
 * loads no library that reads them. What the user has set stands. Where a build has two backends, ND4J is shown the chosen one only.
 *
 * <p>What is set, and why:
 *
 * <ul>
 *   <li>{@code GOMP_SPINCOUNT=1000} (Linux): by default libgomp's idle threads spin long and starve those that work.
 *   <li>{@code org.bytedeco.javacpp.maxphysicalbytes=0}: JavaCPP otherwise fails when the process grows beyond four
 *       times the Java heap, and weights live outside the heap.
 * </ul>
 */
public final class NativeRuntime {
    private static final List<String> SPIN_VARIABLES = List.of("GOMP_SPINCOUNT", "OMP_WAIT_POLICY");
    private static final String MEMORY_LIMIT = "org.bytedeco.javacpp.maxphysicalbytes";

    private NativeRuntime() {}

    /** Where a setting is made. */
    public enum Kind {
        ENVIRONMENT,
        SYSTEM_PROPERTY
    }

    /**
     * One decision.
     *
     * @param value what was set, or null where the setting was left as it was
     */
    public record Setting(Kind kind, String name, @Nullable String value, String reason) {}

    /**
     * What was done to this process.
     *
     * @param late whether ND4J's library was loaded before, so that environment variables set here have no effect
     */
    public record Settings(List<Setting> settings, boolean late) {
        public Settings {
            settings = List.copyOf(settings);
        }
    }

    private static final class Holder {
        static final Settings SETTINGS = apply();
    }

    /** Prepares this process; call it before the first use of ND4J. Calls after the first do nothing. */
    public static void ensure() {
        settings();
    }

    /** What {@link #ensure()} did. */
    public static Settings settings() {
        return Holder.SETTINGS;
    }

    private static Settings apply() {
        boolean linux = System.getProperty("os.name", "").equals("Linux");
        Settings decided = decide(linux, System.getenv());
        for (Setting setting : decided.settings()) {
            if (setting.value() == null) {
                continue;
            }
            switch (setting.kind()) {
                case ENVIRONMENT -> setEnvironment(setting.name(), setting.value());
                case SYSTEM_PROPERTY -> System.setProperty(setting.name(), setting.value());
            }
        }
        if (Backend.CUDA.isInBuild()) {
            OneBackend.show(BackendChoice.made().backend());
        }
        return decided;
    }

    /** The decisions alone, for any system and environment. */
    static Settings decide(boolean linux, Map<String, String> environment) {
        List<Setting> settings = new ArrayList<>();
        if (linux) {
            settings.add(spinning(environment));
        }
        settings.add(memoryLimit());
        return new Settings(settings, linux && nativeLibraryLoaded());
    }

    private static Setting spinning(Map<String, String> environment) {
        String name = SPIN_VARIABLES.get(0);
        return Collections.disjoint(environment.keySet(), SPIN_VARIABLES)
                ? new Setting(Kind.ENVIRONMENT, name, "1000", "idle threads spin briefly only")
                : new Setting(Kind.ENVIRONMENT, name, null, "the user has set " + String.join(" or ", SPIN_VARIABLES));
    }

    private static Setting memoryLimit() {
        return System.getProperty(MEMORY_LIMIT) == null
                ? new Setting(Kind.SYSTEM_PROPERTY, MEMORY_LIMIT, "0", "weights live outside the Java heap")
                : new Setting(Kind.SYSTEM_PROPERTY, MEMORY_LIMIT, null, "the user has set it");
    }

    /** The C library's setenv: {@link System#getenv()} is a copy that native code doesn't see. */
    private static void setEnvironment(String name, String value) {
        Object[] arguments = {name, value, 0};
        int result = NativeLibrary.getInstance("c").getFunction("setenv").invokeInt(arguments);
        if (result != 0) {
            throw new IllegalStateException("setenv(" + name + ") returned " + result);
        }
    }

    private static boolean nativeLibraryLoaded() {
        try (Stream<String> mappings = Files.lines(Path.of("/proc/self/maps"))) {
            return mappings.anyMatch(line -> line.contains("libnd4jcpu") || line.contains("libnd4jcuda"));
        } catch (IOException e) {
            return false;
        }
    }
}
