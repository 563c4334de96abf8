package org.fedlora4j.converter;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ParameterNames;

/**
 * Reads the weights of a model in several threads, ahead of the one that writes them, piece by piece. Two pieces a
 * thread are in memory at most, and tensors are written in the order in which they were announced.
 */
final class ReadAhead implements AutoCloseable {
    /** A megabyte in float32; a multiple of every block of quantised weights. */
    private static final int PIECE_ELEMENTS = 1 << 18;

    /** Elements of one weight, {@code begin} counted from its first. */
    record Piece(String name, long begin, int elements, boolean last) {}

    /** Makes the bytes of a piece as the target wants them. */
    @FunctionalInterface
    interface Reader {
        byte[] read(Piece piece) throws IOException;
    }

    private record Pending(Piece piece, Future<byte[]> bytes) {}

    private final Reader reader;
    private final int limit;
    private final ExecutorService threads;
    private final Deque<Pending> ahead = new ArrayDeque<>();
    private Iterator<Piece> rest = List.<Piece>of().iterator();

    ReadAhead(int jobs, Reader reader) {
        this.reader = reader;
        this.limit = 2 * jobs;
        this.threads = Executors.newFixedThreadPool(jobs);
    }

    /** Announces the tensors; {@link #writeTensor} must be called once for each. */
    void start(Collection<String> names, LlamaConfig config) {
        List<Piece> pieces = new ArrayList<>();
        for (String name : names) {
            long elements = ParameterNames.parse(name).role().elements(config);
            for (long begin = 0; begin < elements; begin += PIECE_ELEMENTS) {
                int count = (int) Math.min(PIECE_ELEMENTS, elements - begin);
                pieces.add(new Piece(name, begin, count, begin + count == elements));
            }
        }
        rest = pieces.iterator();
    }

    /** Writes the next tensor; what went wrong while it was read is thrown here. */
    void writeTensor(OutputStream out) throws IOException {
        Piece piece;
        do {
            while (ahead.size() < limit && rest.hasNext()) {
                Piece next = rest.next();
                ahead.add(new Pending(next, threads.submit(() -> reader.read(next))));
            }
            Pending first = ahead.removeFirst();
            piece = first.piece;
            out.write(get(first.bytes));
        } while (!piece.last);
    }

    private static byte[] get(Future<byte[]> bytes) throws IOException {
        try {
            return bytes.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a model was read");
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
