package org.fedlora4j.spark;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.ClientSession;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.Trainers;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.exec.NativeThreads;
import org.jspecify.annotations.Nullable;

/**
 * The base model of a process that runs tasks: opened by the first task, with the plans that train it, and kept for those
 * that follow. Weights are mapped, so the processes of a machine share them.
 *
 * <p>Clients of a process take turns, as those of an in-process federation do: a model's plans are for one thread, and the
 * kernels' threads are all of the process's processors anyway.
 */
final class ExecutorModel {
    private static @Nullable ExecutorModel current;

    private final ModelUse use;
    private final Federation.Settings settings;
    private final LanguageModel model;
    private final Trainers trainers;

    /** The run's global model before training, for its shapes. */
    private final SharedParts initial;

    /** What is done with a model, by one caller at a time. */
    @FunctionalInterface
    interface Turn<T> {
        T take(ExecutorModel model) throws IOException;
    }

    private ExecutorModel(ModelUse use) throws IOException {
        this.use = use;
        this.settings = use.federation();
        this.model = use.open();
        this.trainers = new Trainers(model, settings);
        this.initial = settings.initial(model.config());
    }

    /** Waits for the model of this process, which is another one only when a task of another run comes. */
    static synchronized <T> T turn(ModelUse use, Turn<T> turn) throws IOException {
        if (current == null || !current.use.equals(use)) {
            closeCurrent();
            current = new ExecutorModel(use);
        }
        // Holds for the threads that the calling one starts, so each says it anew.
        NativeThreads.set(Runtime.getRuntime().availableProcessors());
        return turn.take(current);
    }

    /** Closes the model if it is in this process. */
    static synchronized void close(ModelUse use) throws IOException {
        if (current != null && current.use.equals(use)) {
            closeCurrent();
        }
    }

    Federation.Settings settings() {
        return settings;
    }

    /** The global model that the driver sent. */
    SharedParts shared(byte[] values) {
        return initial.with(Wire.values(values, initial.values(Set.of(Part.A, Part.B))));
    }

    /** A client that goes on from what it saved in {@code states}. */
    ClientSession session(ClientData client, Path states) throws IOException {
        return new ClientSession(trainers, client, states);
    }

    private static void closeCurrent() throws IOException {
        if (current != null) {
            current.trainers.close();
            current.model.close();
            current = null;
        }
    }
}
