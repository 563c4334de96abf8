package org.fedlora4j.federation.data;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.math3.random.Well19937c;
import org.apache.commons.math3.util.MathArrays;

/** Deals shuffled records to clients whose sizes differ by at most one. */
public record IidPartitioner(int clients) implements Partitioner {

    public IidPartitioner {
        NumberedClients.check(clients);
    }

    @Override
    public List<ClientShard> partition(List<String> categories, long seed) {
        int records = categories.size();
        NumberedClients.checkRecords(records, clients);
        int[] shuffled = MathArrays.natural(records);
        MathArrays.shuffle(shuffled, new Well19937c(seed));
        return NumberedClients.shards(IntStream.range(0, clients)
                .mapToObj(client -> Arrays.copyOfRange(shuffled, cut(records, client), cut(records, client + 1)))
                .toList());
    }

    private int cut(int records, int client) {
        return (int) ((long) records * client / clients);
    }
}
