package org.fedlora4j.benchmark;

import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;

/** Counts records that can't be used, and shows the first few. */
final class SkippedRecords {
    private static final int SHOWN = 5;

    private final Progress progress;
    private long count;

    SkippedRecords(Progress progress) {
        this.progress = progress;
    }

    void accept(BadInputException problem) {
        if (count++ < SHOWN) {
            progress.line("skipped: " + problem.getMessage());
        }
    }

    void showCount() {
        if (count > 0) {
            progress.line("skipped " + count + (count == 1 ? " bad record" : " bad records"));
        }
    }

    long count() {
        return count;
    }
}
