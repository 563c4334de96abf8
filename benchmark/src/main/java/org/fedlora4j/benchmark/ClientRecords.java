package org.fedlora4j.benchmark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Example;
import org.fedlora4j.federation.data.ClientShard;
import org.fedlora4j.federation.data.TrainTestSplit;
import org.fedlora4j.tokenizer.EncodedExample;
import org.fedlora4j.tokenizer.InstructionEncoder;

/**
 * One client's records, split and encoded. Records whose prompt leaves no room for a response are not drawn from.
 *
 * @param test never trained on
 * @param truncated examples that were cut off, of both kinds
 * @param withoutTarget how many of the client's records have such a prompt
 */
record ClientRecords(ClientData train, List<TestExample> test, int truncated, int withoutTarget) {

    static ClientRecords of(
            ClientShard shard,
            List<InstructionRecord> records,
            InstructionEncoder encoder,
            Experiment.Data settings,
            long seed) {
        Map<Integer, EncodedExample> fitting = new LinkedHashMap<>();
        for (int index : shard.indices()) {
            InstructionRecord record = records.get(index);
            EncodedExample encoded = encoder.encode(record.instruction(), record.input(), record.response());
            if (encoded.hasTargets()) {
                fitting.put(index, encoded);
            }
        }
        if (fitting.size() < 2) {
            throw new BadInputException("client " + shard.clientId() + ": " + fitting.size()
                    + " records have a prompt of less than " + settings.maxTokens()
                    + " tokens, wanted at least 2: a larger data.max-tokens");
        }
        ClientShard drawnFrom = new ClientShard(
                shard.clientId(),
                fitting.keySet().stream().mapToInt(Integer::intValue).toArray());
        TrainTestSplit split = TrainTestSplit.of(drawnFrom, settings.trainPerClient(), settings.testPerClient(), seed);
        int truncated = 0;
        List<Example> train = new ArrayList<>();
        for (int index : split.train()) {
            EncodedExample encoded = Objects.requireNonNull(fitting.get(index));
            truncated += encoded.truncated() ? 1 : 0;
            train.add(new Example(encoded.ids(), encoded.labels()));
        }
        List<TestExample> test = new ArrayList<>();
        for (int index : split.test()) {
            InstructionRecord record = records.get(index);
            EncodedExample encoded = Objects.requireNonNull(fitting.get(index));
            truncated += encoded.truncated() ? 1 : 0;
            test.add(new TestExample(
                    new Example(encoded.ids(), encoded.labels()),
                    encoder.encodePrompt(record.instruction(), record.input()),
                    record.response()));
        }
        return new ClientRecords(
                new ClientData(shard.clientId(), train),
                List.copyOf(test),
                truncated,
                shard.indices().length - fitting.size());
    }

    String id() {
        return train.id();
    }

    /** What there is, what was cut off and what was not drawn from, in one line. */
    String summary(int maxTokens) {
        return "%s: %d training and %d test examples, %d of them cut off at %d tokens; %d records have too long a prompt"
                .formatted(id(), train.train().size(), test.size(), truncated, maxTokens, withoutTarget);
    }
}
