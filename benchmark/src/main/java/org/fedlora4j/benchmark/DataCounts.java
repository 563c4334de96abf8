package org.fedlora4j.benchmark;

import java.util.SortedMap;
import java.util.function.ToIntFunction;
import org.fedlora4j.benchmark.data.TaskSplit;
import org.jspecify.annotations.Nullable;

/**
 * What became of an experiment's records, those that could not be used apart: so many became examples, all others are
 * counted with the reason.
 *
 * @param total of all clients
 * @param clients by id, unseen ones among them
 * @param split what was there of a split's tasks; null without a split
 */
public record DataCounts(
        Client total,
        SortedMap<String, Client> clients,
        @Nullable Split split) {
    /**
     * Of one client. Its records are those without room, those not drawn, and one for each example.
     *
     * @param recordsWithoutRoom whose prompt leaves no room for a response in {@code data.max-tokens}
     * @param recordsNotDrawn because there are enough: {@code data.train-per-client}, {@code data.test-per-client}
     * @param truncatedExamples of both kinds, whose response was cut off
     */
    public record Client(
            int records,
            int recordsWithoutRoom,
            int recordsNotDrawn,
            int trainExamples,
            int testExamples,
            int truncatedExamples) {}

    /**
     * Of the tasks of a split.
     *
     * @param train that are there to be trained on
     * @param test that are there to be tested on
     * @param missing that the split lists and that aren't there
     * @param leftOut that are there and not listed
     */
    public record Split(int train, int test, int missing, int leftOut) {
        static Split of(TaskSplit.Selection selection) {
            return new Split(
                    selection.train().size(), selection.test().size(), selection.missing(), selection.leftOut());
        }
    }

    static DataCounts of(SortedMap<String, Client> clients, @Nullable Split split) {
        return new DataCounts(
                new Client(
                        sum(clients, Client::records),
                        sum(clients, Client::recordsWithoutRoom),
                        sum(clients, Client::recordsNotDrawn),
                        sum(clients, Client::trainExamples),
                        sum(clients, Client::testExamples),
                        sum(clients, Client::truncatedExamples)),
                clients,
                split);
    }

    private static int sum(SortedMap<String, Client> clients, ToIntFunction<Client> count) {
        return clients.values().stream().mapToInt(count).sum();
    }

    /** In one line. */
    public String summary() {
        return "records: %d; %d training and %d test examples, %d of them cut off; %d records without room for a response, %d more than is drawn"
                .formatted(
                        total.records,
                        total.trainExamples,
                        total.testExamples,
                        total.truncatedExamples,
                        total.recordsWithoutRoom,
                        total.recordsNotDrawn);
    }
}
