package org.fedlora4j.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.fedlora4j.common.Progress;

/** One download at a time for a destination, among the processes of a machine and the threads of one. */
final class FolderLock implements AutoCloseable {
    private static final long MILLISECONDS_BETWEEN_TRIES = 100;

    private final FileChannel channel;

    private FolderLock(FileChannel channel) {
        this.channel = channel;
    }

    /** Waits until the lock is ours. The file may be deleted by who has the lock; another is made then. */
    static FolderLock acquire(Path file, Progress progress) throws IOException {
        while (true) {
            Files.createDirectories(file.resolveSibling(""));
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (tryLock(channel) && Files.exists(file)) {
                return new FolderLock(channel);
            }
            channel.close();
            progress.status("another download of the same is running; waiting for it");
            try {
                Thread.sleep(MILLISECONDS_BETWEEN_TRIES);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException();
            }
        }
    }

    /** Also gives up the lock. */
    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static boolean tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false; // another thread of this process
        }
    }
}
