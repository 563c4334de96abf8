package org.fedlora4j.grpc;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Passes connections on to a server, keeps every byte that clients send, and cuts connections when told to. */
final class RecordingProxy implements AutoCloseable {
    private final ServerSocket listening;
    private final int target;
    private final List<ByteArrayOutputStream> sent = Collections.synchronizedList(new ArrayList<>());
    private final List<Socket> open = Collections.synchronizedList(new ArrayList<>());

    private volatile long cutAfter = Long.MAX_VALUE;
    private volatile boolean slow;

    RecordingProxy(int target) throws IOException {
        this.target = target;
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        thread(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    /** Each connection that is made from now on breaks after its client has sent so many bytes. */
    void cutAfter(long bytes) {
        cutAfter = bytes;
    }

    /** From now on 4096 bytes take 10 milliseconds. */
    void slowDown() {
        slow = true;
    }

    /** What clients sent, a stream for each connection. */
    List<byte[]> sent() {
        synchronized (sent) {
            return sent.stream().map(ByteArrayOutputStream::toByteArray).toList();
        }
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listening.accept();
            Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
            open.add(client);
            open.add(server);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            sent.add(bytes);
            long limit = cutAfter;
            thread(() -> pass(client, server, bytes, limit));
            thread(() -> pass(server, client, new ByteArrayOutputStream(), Long.MAX_VALUE));
        }
    }

    private void pass(Socket from, Socket to, ByteArrayOutputStream copy, long limit) throws IOException {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[4096];
            long passed = 0;
            for (int count = in.read(buffer); count >= 0 && passed < limit; count = in.read(buffer)) {
                synchronized (copy) {
                    copy.write(buffer, 0, count);
                }
                out.write(buffer, 0, count);
                out.flush();
                if (slow) {
                    LockSupport.parkNanos(10_000_000);
                }
                passed += count;
            }
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void thread(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException e) {
                // One of the two sides is gone, and then the other goes too.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        synchronized (open) {
            for (Socket socket : open) {
                socket.close();
            }
        }
    }
}
