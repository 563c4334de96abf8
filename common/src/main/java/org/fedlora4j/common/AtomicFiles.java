package org.fedlora4j.common;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.stream.Stream;

/** Files and folders that appear whole or not at all: written under a temporary name beside the target, then moved. */
public final class AtomicFiles {
    private AtomicFiles() {}

    /** Writes into the path it is given; that path is moved to the target afterwards. */
    @FunctionalInterface
    public interface Writer {
        void write(Path path) throws IOException;
    }

    /** Writes into the stream it is given. */
    @FunctionalInterface
    public interface StreamWriter {
        void write(OutputStream out) throws IOException;
    }

    /** Writes one file and replaces what stood at {@code target}. On failure the target is as it was. */
    public static void writeFile(Path target, Writer writer) throws IOException {
        Path temporary = temporary(target);
        try {
            writer.write(temporary);
            sync(temporary);
            move(temporary, target);
        } catch (IOException e) {
            throw naming(target, temporary, e);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /** {@link #writeFile} of a UTF-8 text. */
    public static void writeString(Path target, String text) throws IOException {
        writeFile(target, path -> Files.writeString(path, text, StandardCharsets.UTF_8));
    }

    /** {@link #writeFile} through a stream. */
    public static void writeStream(Path target, StreamWriter writer) throws IOException {
        writeFile(target, path -> {
            try (OutputStream out = Files.newOutputStream(path)) {
                writer.write(out);
            }
        });
    }

    /** Fills a new folder and moves it to {@code target}, which must not exist. On failure nothing is left. */
    public static void writeFolder(Path target, Writer writer) throws IOException {
        Path temporary = temporary(target);
        try {
            Files.createDirectory(temporary);
            writer.write(temporary);
            try (Stream<Path> files = Files.walk(temporary)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    sync(file);
                }
            }
            move(temporary, target);
        } catch (IOException e) {
            throw naming(target, temporary, e);
        } finally {
            deleteRecursively(temporary);
        }
    }

    /** Deletes a file or a folder with all it holds; does nothing where there is none. Links are not followed. */
    public static void deleteRecursively(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** The failure under the name that the user knows: a full disk has none, others that of the temporary file. */
    private static IOException naming(Path target, Path temporary, IOException failure) {
        boolean known = failure instanceof FileSystemException file
                && !String.valueOf(file.getFile()).startsWith(temporary.toString());
        if (known) {
            return failure;
        }
        return cannotWrite(target, FileProblems.reason(failure), failure);
    }

    private static FileSystemException cannotWrite(Path target, String reason, IOException cause) {
        FileSystemException failure = new FileSystemException(target.toString(), null, "can't be written: " + reason);
        failure.initCause(cause);
        return failure;
    }

    /** A name beside the target, whose folders are created. */
    private static Path temporary(Path target) throws IOException {
        Path parent = target.toAbsolutePath().getParent();
        if (parent == null) {
            throw new BadInputException(target + ": a file system's root can't be written to");
        }
        try {
            Files.createDirectories(parent);
        } catch (IOException e) {
            throw cannotWrite(target, FileProblems.describe(e), e);
        }
        return parent.resolve(
                "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
    }

    private static void sync(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
