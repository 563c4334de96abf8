package org.fedlora4j.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.hub.ByteRanges.Range;
import org.fedlora4j.hub.HubConnection.Answer;
import org.jspecify.annotations.Nullable;

/**
 * One file on its way. Several threads may fetch parts of it at once, but the first part is fetched alone: its answer
 * shows whether the server knows ranges. Where it doesn't, that part becomes the whole file.
 */
final class Transfer {
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18}|\\*)");
    private static final int BUFFER = 1 << 16;
    private static final long BYTES_BETWEEN_RECORDS = 4 << 20;

    /** Work for one thread. */
    @FunctionalInterface
    interface Work {
        void run() throws IOException;
    }

    /** The file has another size or hash than the hub listed. */
    private static final class MismatchException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        MismatchException(String message) {
            super(message);
        }
    }

    private final Transfers owner;
    private final List<HubFile> files;
    private final HubFile file;
    private final PartialFile partial;

    private final Deque<Range> waiting = new ArrayDeque<>();
    private int running;
    private boolean knowsRanges;
    private boolean finishing;
    private boolean complete;
    private @Nullable String mismatch;
    private boolean fetchedAgain;

    /** @param files the names of one content, at least one */
    Transfer(Transfers owner, List<HubFile> files, PartialFile partial) throws IOException {
        this.owner = owner;
        this.files = files;
        this.file = files.get(0);
        this.partial = partial;
        partial.open();
        waiting.addAll(partial.missing(owner.partBytes()));
    }

    synchronized boolean isComplete() {
        return complete;
    }

    /** What can be done for this file now, or null; it is not given out twice. */
    synchronized @Nullable Work next() {
        if (complete || finishing) {
            return null;
        }
        if (running == 0 && (waiting.isEmpty() || mismatch != null)) {
            finishing = true;
            return this::finish;
        }
        if (mismatch != null || waiting.isEmpty() || (running > 0 && !knowsRanges)) {
            return null;
        }
        running++;
        return new Part(waiting.remove());
    }

    private void finish() throws IOException {
        String hash = mismatch == null ? owner.hash(file, partial.data()) : "";
        if (mismatch == null && !hash.equals(file.etag())) {
            mismatch = "its hash is " + hash + ", wanted " + file.etag();
        }
        if (mismatch == null) {
            partial.complete();
            owner.destination().add(files, partial.data());
        } else if (fetchedAgain) {
            partial.delete();
            throw new BadInputException(
                    owner.api().model() + ": " + file.path() + ": " + mismatch + "; fetched twice, and deleted");
        } else {
            owner.received(-partial.bytesDone());
            partial.clear();
        }
        synchronized (this) {
            complete = mismatch == null;
            fetchedAgain = true;
            finishing = false;
            mismatch = null;
            knowsRanges = false;
            waiting.clear();
            waiting.addAll(complete ? List.of() : partial.missing(owner.partBytes()));
        }
    }

    private synchronized void partEnded(@Nullable MismatchException found) {
        running--;
        if (found != null) {
            mismatch = found.getMessage();
        }
    }

    private synchronized void rangesWork() {
        knowsRanges = true;
    }

    /** Makes the part that asked for a range the whole file, if it is the first. */
    private synchronized boolean startOver() throws IOException {
        if (knowsRanges) {
            return false;
        }
        waiting.clear();
        owner.received(-partial.bytesDone());
        partial.clear();
        return true;
    }

    /** A range, fetched until it is there; a cut connection goes on where it ended. */
    private final class Part implements Work {
        private Range range;
        private long position;
        private long furthest;

        Part(Range range) {
            this.range = range;
            position = range.start();
            furthest = position;
        }

        @Override
        public void run() throws IOException {
            @Nullable MismatchException found = null;
            try {
                Retry retry = owner.api().retry(file);
                retry.run(() -> fetch(retry));
            } catch (MismatchException e) {
                found = e;
            } finally {
                partEnded(found);
            }
        }

        /** @return the position reached, which is the range's end */
        private long fetch(Retry retry) throws IOException {
            boolean whole = position == 0 && range.end() == file.size();
            @Nullable Range asked = whole ? null : new Range(position, range.end());
            try (Answer answer = owner.get(file, asked)) {
                switch (answer.status()) {
                    case 200 -> {
                        if (asked != null) {
                            if (!startOver()) {
                                throw new IOException("the server sent the whole file where a range was asked for");
                            }
                            range = new Range(0, file.size());
                            position = 0;
                        }
                        long length = answer.headers()
                                .firstValueAsLong("Content-Length")
                                .orElse(file.size());
                        if (length != file.size()) {
                            throw wrongSize(length + " bytes");
                        }
                        copy(answer.body(), retry);
                        if (answer.body().read() >= 0) {
                            throw wrongSize("more bytes");
                        }
                    }
                    case 206 -> {
                        check(answer.headers().firstValue("Content-Range").orElse("no Content-Range"));
                        rangesWork();
                        owner.changed();
                        copy(answer.body(), retry);
                    }
                    case 416 -> throw wrongSize("fewer than " + range.end() + " bytes");
                    default -> throw owner.api().refusal(answer, file);
                }
            }
            return position;
        }

        private void copy(InputStream in, Retry retry) throws IOException {
            byte[] buffer = new byte[BUFFER];
            long recorded = position;
            try (RandomAccessFile out = partial.writer(position)) {
                while (position < range.end()) {
                    int n = in.read(buffer, 0, (int) Math.min(BUFFER, range.end() - position));
                    if (n < 0) {
                        throw new IOException("the connection was cut");
                    }
                    partial.write(out, buffer, n);
                    position += n;
                    owner.received(n);
                    if (position > furthest) {
                        furthest = position;
                        retry.progressed();
                    }
                    if (position - recorded >= BYTES_BETWEEN_RECORDS) {
                        partial.written(new Range(recorded, position));
                        recorded = position;
                    }
                }
            } finally {
                if (position > recorded) {
                    partial.written(new Range(recorded, position));
                }
            }
        }

        private void check(String contentRange) {
            Matcher matcher = CONTENT_RANGE.matcher(contentRange);
            if (!matcher.matches() || Long.parseLong(matcher.group(1)) != position) {
                throw new MismatchException("the server answers '" + RepositoryPath.printable(contentRange)
                        + "', wanted a range from byte " + position + " on");
            }
            String total = matcher.group(2);
            if (!total.equals("*") && Long.parseLong(total) != file.size()) {
                throw wrongSize(total + " bytes");
            }
        }

        private MismatchException wrongSize(String found) {
            return new MismatchException("the server has " + found + ", the hub lists " + file.size());
        }
    }
}
