package org.fedlora4j.kernels;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads that share a loop: the caller and one helper for each further processor. A kernel runs for microseconds, so a
 * helper that has done its share looks for the next one for a while before it sleeps; and since ND4J's threads want the
 * same processors in between, it offers its own to them while it looks. A share that its helper has not begun when the
 * caller is done with its own is the caller's: on a crowded machine a helper may not run for many milliseconds.
 */
public final class Team {
    /** A part of a loop: what to do for {@code from <= i < to}. */
    @FunctionalInterface
    public interface Share {
        /** @param member which of the {@link #size} members runs it, for scratch space of its own */
        void run(int from, int to, int member);
    }

    private static final int LOOKS = 2_000;
    private static final int LOOKS_PER_YIELD = 50;
    private static final Team TEAM = new Team(Runtime.getRuntime().availableProcessors());

    private final Helper[] helpers;

    private Team(int size) {
        helpers = new Helper[size - 1];
        for (int i = 0; i < helpers.length; i++) {
            helpers[i] = new Helper(i + 1);
            helpers[i].start();
        }
    }

    /** The number of members. */
    public static int size() {
        return TEAM.helpers.length + 1;
    }

    /**
     * Runs a loop of {@code n} turns, in contiguous shares of {@code grain} turns or a multiple of it, and returns when
     * all are done. One caller at a time: others wait.
     *
     * @throws IllegalStateException if a helper's share failed
     */
    public static void run(int n, int grain, Share share) {
        TEAM.share(n, grain, share);
    }

    private synchronized void share(int n, int grain, Share share) {
        int grains = (n + grain - 1) / grain;
        int members = Math.max(1, Math.min(helpers.length + 1, grains));
        for (int member = 1; member < members; member++) {
            helpers[member - 1].take(
                    share, begin(member, members, grains, grain), end(member, members, grains, grain, n));
        }
        try {
            share.run(0, end(0, members, grains, grain, n), 0);
        } finally {
            for (int member = 1; member < members; member++) {
                helpers[member - 1].await();
            }
        }
    }

    private static int begin(int member, int members, int grains, int grain) {
        return (int) ((long) grains * member / members) * grain;
    }

    private static int end(int member, int members, int grains, int grain, int n) {
        return Math.min(n, begin(member + 1, members, grains, grain));
    }

    /** Waits for what another thread changes: first by looking, then by offering the processor now and then. */
    private static void pause(int look) {
        if (look % LOOKS_PER_YIELD == 0) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }

    private static final class Helper extends Thread {
        private final int member;
        private @Nullable Share share;
        private int from;
        private int to;
        private @Nullable Throwable failure;
        private volatile int asked;
        /** The last share that somebody has begun. */
        private final AtomicInteger begun = new AtomicInteger();

        private volatile int done;
        private volatile boolean asleep;

        Helper(int member) {
            super("fedlora-kernels-" + member);
            this.member = member;
            setDaemon(true);
        }

        void take(Share share, int from, int to) {
            this.share = share;
            this.from = from;
            this.to = to;
            asked = done + 1;
            if (asleep) {
                LockSupport.unpark(this);
            }
        }

        /** Waits for the share, or runs it where the helper has not begun. */
        void await() {
            if (begun.compareAndSet(asked - 1, asked)) {
                run(0);
            }
            for (int look = 1; done != asked; look++) {
                pause(look);
            }
            if (failure != null) {
                Throwable cause = failure;
                failure = null;
                throw new IllegalStateException("a share of a kernel failed: " + cause, cause);
            }
        }

        private void run(int by) {
            try {
                if (share != null) {
                    share.run(from, to, by);
                }
            } catch (Throwable e) {
                failure = e;
            }
            done = asked;
        }

        @Override
        public void run() {
            while (true) {
                int last = begun.get();
                for (int look = 1; asked == last; look++) {
                    if (look < LOOKS) {
                        pause(look);
                    } else {
                        asleep = true;
                        if (asked == begun.get()) {
                            LockSupport.park(this);
                        }
                        asleep = false;
                    }
                    last = begun.get();
                }
                if (begun.compareAndSet(last, asked)) {
                    run(member);
                }
            }
        }
    }
}
