package org.fedlora4j.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Closes a response's body that brings nothing for too long, so that its reader fails and can try again: HttpClient's
 * own limit ends with the headers.
 */
final class WatchedStream extends FilterInputStream {
    private static final ScheduledExecutorService WATCH = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "hub-watch");
        thread.setDaemon(true);
        return thread;
    });

    private final Future<?> check;
    private volatile long heardAt = System.nanoTime();
    private volatile boolean silent;

    WatchedStream(InputStream in, Duration limit) {
        super(in);
        long nanos = limit.toNanos();
        check = WATCH.scheduleWithFixedDelay(() -> closeIfSilent(nanos), nanos, nanos / 4, TimeUnit.NANOSECONDS);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        heardAt = System.nanoTime(); // the time since the last read was the reader's own
        int n = in.read(bytes, offset, length);
        if (silent) {
            throw new IOException("the server has fallen silent");
        }
        return n;
    }

    @Override
    public void close() throws IOException {
        check.cancel(false);
        in.close();
    }

    private void closeIfSilent(long nanos) {
        if (System.nanoTime() - heardAt > nanos) {
            silent = true;
            try {
                close();
            } catch (IOException e) {
                // the reader sees that it is closed
            }
        }
    }
}
