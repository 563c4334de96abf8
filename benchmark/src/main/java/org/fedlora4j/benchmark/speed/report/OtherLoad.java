package org.fedlora4j.benchmark.speed.report;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** What other processes do while we measure nothing: beside them, times say little, and threads that spin suffer most. */
final class OtherLoad {
    private static final double BUSY = 0.15;
    private static final int SECONDS = 15;

    private OtherLoad() {}

    /** Waits some seconds for others to leave the processors alone; false if they did not. */
    static boolean awaitQuiet() {
        var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        // The first call begins what the next one measures.
        system.getCpuLoad();
        try {
            for (int second = 0; second < SECONDS; second++) {
                Thread.sleep(1_000);
                if (system.getCpuLoad() < BUSY) {
                    return true;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }
}
