package org.fedlora4j.benchmark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
        int[] fitting = Arrays.stream(shard.indices())
                .filter(index -> prompt(records.get(index), encoder).length < settings.maxTokens())
                .toArray();
        if (fitting.length < 2) {
            throw new BadInputException("client " + shard.clientId() + ": " + fitting.length
                    + " records have a prompt of less than " + settings.maxTokens()
                    + " tokens, wanted at least 2: a larger data.max-tokens");
        }
        TrainTestSplit split = TrainTestSplit.of(
                new ClientShard(shard.clientId(), fitting), settings.trainPerClient(), settings.testPerClient(), seed);
        int truncated = 0;
        List<Example> train = new ArrayList<>();
        for (int index : split.train()) {
            EncodedExample encoded = encode(records.get(index), encoder);
            truncated += encoded.truncated() ? 1 : 0;
            train.add(new Example(encoded.ids(), encoded.labels()));
        }
        List<TestExample> test = new ArrayList<>();
        for (int index : split.test()) {
            InstructionRecord record = records.get(index);
            EncodedExample encoded = encode(record, encoder);
            truncated += encoded.truncated() ? 1 : 0;
            test.add(new TestExample(
                    new Example(encoded.ids(), encoded.labels()), prompt(record, encoder), record.response()));
        }
        return new ClientRecords(
                new ClientData(shard.clientId(), train),
                List.copyOf(test),
                truncated,
                shard.indices().length - fitting.length);
    }

    private static int[] prompt(InstructionRecord record, InstructionEncoder encoder) {
        return encoder.encodePrompt(record.instruction(), record.input());
    }

    private static EncodedExample encode(InstructionRecord record, InstructionEncoder encoder) {
        return encoder.encode(record.instruction(), record.input(), record.response());
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
