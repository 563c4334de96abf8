package org.fedlora4j.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.fedlora4j.common.Progress;
import org.fedlora4j.hub.ByteRanges.Range;
import org.fedlora4j.hub.HubConnection.Answer;
import org.fedlora4j.hub.Transfer.Work;
import org.jspecify.annotations.Nullable;

/** Fetches files of a commit over several connections, parts of several files at once, and reports progress over all. */
final class Transfers {
    private final HubApi api;
    private final String commit;
    private final Destination destination;
    private final Tuning tuning;
    private final Progress progress;

    private final List<Transfer> transfers = new ArrayList<>();
    private final AtomicLong done = new AtomicLong();
    private long total;
    private boolean stopped;

    Transfers(HubApi api, String commit, Destination destination, Tuning tuning, Progress progress) {
        this.api = api;
        this.commit = commit;
        this.destination = destination;
        this.tuning = tuning;
        this.progress = progress;
    }

    /**
     * Adds a file; to be called before {@link #run}.
     *
     * @param files the names of one content, at least one
     * @param partial what is there of it
     */
    void add(List<HubFile> files, PartialFile partial) throws IOException {
        transfers.add(new Transfer(this, files, partial));
        total = Math.addExact(total, files.get(0).size());
        done.addAndGet(partial.bytesDone());
    }

    /** Fetches all files, checks them and puts them in their places. The first failure ends all. */
    void run() throws IOException {
        received(0);
        ExecutorService workers = Executors.newFixedThreadPool(tuning.connections());
        CompletionService<@Nullable Void> ended = new ExecutorCompletionService<>(workers);
        try {
            for (int i = 0; i < tuning.connections(); i++) {
                ended.submit(() -> {
                    work();
                    return null;
                });
            }
            for (int i = 0; i < tuning.connections(); i++) {
                ended.take().get();
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        } finally {
            stop();
            workers.shutdownNow();
            awaitEnd(workers);
        }
    }

    long partBytes() {
        return tuning.partBytes();
    }

    Destination destination() {
        return destination;
    }

    HubApi api() {
        return api;
    }

    Answer get(HubFile file, @Nullable Range range) throws IOException {
        return api.get(commit, file, range);
    }

    String hash(HubFile file, Path data) throws IOException {
        progress.status("checking " + file.path());
        return file.hashOf(data);
    }

    /** Counts bytes; fewer than none where they will be fetched again. */
    void received(long bytes) {
        String files = transfers.size() == 1 ? " in 1 file" : " in " + transfers.size() + " files";
        progress.update(done.addAndGet(bytes), total, "downloading " + Progress.bytes((double) total) + files);
    }

    /** A transfer may have work now that it didn't have before. */
    synchronized void changed() {
        notifyAll();
    }

    private void work() throws IOException, InterruptedException {
        try {
            for (Work work = take(); work != null; work = take()) {
                work.run();
                changed();
            }
        } catch (IOException | RuntimeException e) {
            stop();
            throw e;
        }
    }

    private synchronized @Nullable Work take() throws InterruptedException {
        while (!stopped && !transfers.stream().allMatch(Transfer::isComplete)) {
            for (Transfer transfer : transfers) {
                Work work = transfer.next();
                if (work != null) {
                    return work;
                }
            }
            wait();
        }
        return null;
    }

    /** Whoever has the destination next must find nobody writing there. */
    private static void awaitEnd(ExecutorService workers) {
        try {
            workers.awaitTermination(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void stop() {
        stopped = true;
        notifyAll();
    }
}
