package org.fedlora4j.federation.data;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.fedlora4j.common.BadInputException;

/** Clients that are a number among others and have at least two records each, one to train on and one to be tested on. */
final class NumberedClients {
    static final int MINIMUM_RECORDS = 2;

    private NumberedClients() {}

    static void check(int clients) {
        if (clients < 1) {
            throw new BadInputException("clients is " + clients + ", wanted at least 1");
        }
    }

    static void checkRecords(int records, int clients) {
        if (records / MINIMUM_RECORDS < clients) {
            throw new BadInputException(
                    records + " records for " + clients + " clients, wanted at least " + MINIMUM_RECORDS + " each");
        }
    }

    /** Names the clients 0, 1, ..., with leading zeros so that the order of ids is that of numbers. */
    static List<ClientShard> shards(List<int[]> records) {
        String format = "%0" + String.valueOf(records.size() - 1).length() + "d";
        return IntStream.range(0, records.size())
                .mapToObj(client -> new ClientShard(
                        format.formatted(client),
                        Arrays.stream(records.get(client)).sorted().toArray()))
                .toList();
    }
}
