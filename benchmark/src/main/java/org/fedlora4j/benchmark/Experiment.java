package org.fedlora4j.benchmark;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.benchmark.data.FieldNames;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.federation.data.CategoryPartitioner;
import org.fedlora4j.federation.data.Partitioner;
import org.fedlora4j.federation.data.UnseenClients;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.model.Recompute;
import org.fedlora4j.tokenizer.PromptTemplate;

/**
 * A federated fine-tuning and its evaluation. {@code docs/experiments.md} explains the settings under the names that they
 * have in experiment files.
 *
 * @param model the checkpoint's folder
 * @param output the run folder
 * @param precision {@code auto}, {@code f32}, {@code bf16} or {@code f16}
 * @param recompute what training computes twice, to save memory
 * @param clientRanks of the clients that have less than {@code lora.rank}, by id
 * @param rounds after the recipe's warm-up
 * @param participation the share of clients that each round has
 * @param batchSize examples of a training step
 * @param batchWindow batches whose examples are sorted by length together
 * @param seed of partition, splits, initial adapter, batches and dropout
 */
public record Experiment(
        Path model,
        Path output,
        String precision,
        Recompute recompute,
        Data data,
        LoraConfig lora,
        SortedMap<String, Integer> clientRanks,
        Recipe recipe,
        int rounds,
        double participation,
        int batchSize,
        int batchWindow,
        int seed,
        Evaluation evaluation) {

    public Experiment {
        clientRanks = Collections.unmodifiableSortedMap(new TreeMap<>(clientRanks));
        for (Map.Entry<String, Integer> client : clientRanks.entrySet()) {
            if (client.getValue() < 1 || client.getValue() > lora.rank()) {
                throw new BadInputException("lora.client-ranks." + client.getKey() + ": " + client.getValue()
                        + ", wanted from 1 to lora.rank, " + lora.rank());
            }
        }
        requireAtLeast(1, "rounds", rounds);
        if (!(participation > 0 && participation <= 1)) {
            throw new BadInputException("participation: " + participation + ", wanted above 0 and at most 1");
        }
        requireAtLeast(1, "batch-size", batchSize);
        requireAtLeast(1, "batch-window", batchWindow);
    }

    /**
     * What is learnt and by whom.
     *
     * @param source a file or folder that {@link org.fedlora4j.benchmark.data.InstructionData} reads
     * @param skipBadRecords whether records that can't be used are left out; otherwise the first is an error
     * @param split of Natural Instructions' tasks, by name or path; or {@link #NO_SPLIT}
     * @param unseenClients that take no part in training
     * @param template of the prompts, see {@link PromptTemplate#named}
     * @param maxTokens where examples are cut off
     * @param trainPerClient at most so many records
     * @param testPerClient at most so many records, and at most half of a client's
     */
    public record Data(
            Path source,
            FieldNames fields,
            boolean skipBadRecords,
            Partitioner partitioner,
            String split,
            UnseenClients unseenClients,
            String template,
            int maxTokens,
            int trainPerClient,
            int testPerClient) {
        /** All records are divided, whatever their task. */
        public static final String NO_SPLIT = "none";

        public Data {
            if (!split.equals(NO_SPLIT)) {
                requireFitsSplit(split, partitioner, unseenClients);
            }
            PromptTemplate.named(template);
            requireAtLeast(2, "max-tokens", maxTokens);
            requireAtLeast(1, "train-per-client", trainPerClient);
            requireAtLeast(1, "test-per-client", testPerClient);
        }
    }

    /** What is measured at the end of every round but the last, after which everything is. */
    public enum EachRound {
        NOTHING,
        /** Loss and token accuracy. */
        LOSS,
        /** Generated text too, where it is measured at all. */
        ALL
    }

    /**
     * How models are evaluated.
     *
     * @param rouge whether responses are generated, for ROUGE-L and exact match
     * @param maxNewTokens where generated responses are cut off
     * @param batchSize examples that are scored or generated together
     */
    public record Evaluation(boolean rouge, int maxNewTokens, int batchSize, EachRound eachRound) {
        public Evaluation {
            requireAtLeast(1, "max-new-tokens", maxNewTokens);
            requireAtLeast(1, "batch-size", batchSize);
        }
    }

    private static void requireFitsSplit(String split, Partitioner partitioner, UnseenClients unseenClients) {
        if (split.isBlank()) {
            throw new BadInputException("split: empty, wanted none, a split's name or a path");
        }
        if (!(partitioner instanceof CategoryPartitioner)) {
            throw new BadInputException(
                    "split: " + split + ", which is of tasks, wanted data.partition {by: category} beside it");
        }
        if (!unseenClients.equals(UnseenClients.NONE)) {
            throw new BadInputException("unseen-clients: given beside data.split " + split
                    + ", whose test tasks are the unseen clients, wanted one of the two");
        }
    }

    private static void requireAtLeast(int minimum, String name, int value) {
        if (value < minimum) {
            throw new BadInputException(name + ": " + value + ", wanted at least " + minimum);
        }
    }
}
