package org.fedlora4j.federation.data;

import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.math3.distribution.GammaDistribution;
import org.apache.commons.math3.random.RandomGenerator;
import org.apache.commons.math3.random.Well19937c;
import org.apache.commons.math3.util.MathArrays;
import org.fedlora4j.common.BadInputException;

/**
 * Label skew: the records of every category are dealt to the clients in proportions drawn from a symmetric Dirichlet
 * distribution, anew for each category (Yurochkin et al. 2019, arXiv 1905.12022; Li et al. 2022, arXiv 2102.02079).
 * Draws that leave a client with fewer than two records are repeated, as in the reference implementation of the
 * latter (NIID-Bench), which wants ten.
 *
 * @param alpha concentration: about 0.1 gives each client few categories, 100 nearly the same mixture to all
 */
public record DirichletPartitioner(double alpha, int clients) implements Partitioner {
    private static final int MAX_DRAWS = 1000;

    public DirichletPartitioner {
        if (!(alpha > 0 && alpha <= 1e6)) {
            throw new BadInputException("dirichlet is " + alpha + ", wanted a number above 0, at most 1e6");
        }
        NumberedClients.check(clients);
    }

    @Override
    public List<ClientShard> partition(List<String> categories, long seed) {
        NumberedClients.checkRecords(categories.size(), clients);
        Collection<List<Integer>> groups = Categories.group(categories).values();
        RandomGenerator random = new Well19937c(seed);
        var gamma = new GammaDistribution(random, alpha, 1);
        for (int draw = 0; draw < MAX_DRAWS; draw++) {
            List<IntStream.Builder> dealt =
                    Stream.generate(IntStream::builder).limit(clients).toList();
            groups.forEach(group -> deal(group, dealt, gamma, random));
            List<int[]> records =
                    dealt.stream().map(client -> client.build().toArray()).toList();
            if (records.stream().allMatch(client -> client.length >= NumberedClients.MINIMUM_RECORDS)) {
                return NumberedClients.shards(records);
            }
        }
        throw new BadInputException("dirichlet " + alpha + " leaves some of " + clients + " clients with fewer than "
                + NumberedClients.MINIMUM_RECORDS + " records in each of " + MAX_DRAWS
                + " draws, wanted a larger number or fewer clients");
    }

    /** Cuts the shuffled group where the cumulated proportions fall. */
    private static void deal(
            List<Integer> group, List<IntStream.Builder> clients, GammaDistribution gamma, RandomGenerator random) {
        int[] shuffled = group.stream().mapToInt(Integer::intValue).toArray();
        MathArrays.shuffle(shuffled, random);
        double[] shares = proportions(clients.size(), gamma);
        double cumulated = 0;
        int from = 0;
        for (int client = 0; client < shares.length; client++) {
            cumulated += shares[client];
            boolean last = client == shares.length - 1;
            int to = last ? shuffled.length : (int) Math.min(shuffled.length, Math.round(cumulated * shuffled.length));
            for (int i = from; i < to; i++) {
                clients.get(client).add(shuffled[i]);
            }
            from = to;
        }
    }

    /** A draw from the Dirichlet distribution: independent gamma variables, divided by their sum. */
    private static double[] proportions(int count, GammaDistribution gamma) {
        double[] draws = gamma.sample(count);
        // With a tiny alpha all draws may underflow to 0.
        while (IntStream.range(0, count).noneMatch(i -> draws[i] > 0)) {
            System.arraycopy(gamma.sample(count), 0, draws, 0, count);
        }
        return MathArrays.normalizeArray(draws, 1);
    }
}
