package org.fedlora4j.benchmark;

import java.util.ArrayList;
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
 * One client's records, split and encoded.
 *
 * @param test never trained on
 * @param truncated examples that were cut off, of both kinds
 * @param withoutTarget records whose prompt alone is too long: they are in neither list
 */
record ClientRecords(ClientData train, List<TestExample> test, int truncated, int withoutTarget) {

    static ClientRecords of(
            ClientShard shard,
            List<InstructionRecord> records,
            InstructionEncoder encoder,
            Experiment.Data settings,
            long seed) {
        TrainTestSplit split = TrainTestSplit.of(shard, settings.trainPerClient(), settings.testPerClient(), seed);
        Counter counter = new Counter(encoder);
        List<Example> train = new ArrayList<>();
        for (int index : split.train()) {
            EncodedExample encoded = counter.encode(records.get(index));
            if (encoded.hasTargets()) {
                train.add(new Example(encoded.ids(), encoded.labels()));
            }
        }
        List<TestExample> test = new ArrayList<>();
        for (int index : split.test()) {
            InstructionRecord record = records.get(index);
            EncodedExample encoded = counter.encode(record);
            if (encoded.hasTargets()) {
                test.add(new TestExample(
                        new Example(encoded.ids(), encoded.labels()),
                        encoder.encodePrompt(record.instruction(), record.input()),
                        record.response()));
            }
        }
        if (train.isEmpty() || test.isEmpty()) {
            throw new BadInputException("client " + shard.clientId() + ": every prompt of its "
                    + (train.isEmpty() ? "training" : "test") + " records has " + settings.maxTokens()
                    + " tokens or more, wanted a larger data.max-tokens");
        }
        return new ClientRecords(
                new ClientData(shard.clientId(), train), List.copyOf(test), counter.truncated, counter.withoutTarget);
    }

    String id() {
        return train.id();
    }

    /** What there is and what was cut off, in one line. */
    String summary(int maxTokens) {
        return "%s: %d training and %d test examples; %d cut off at %d tokens, %d left out for a prompt as long as that"
                .formatted(id(), train.train().size(), test.size(), truncated, maxTokens, withoutTarget);
    }

    /** Encodes and counts what was cut off. */
    private static final class Counter {
        private final InstructionEncoder encoder;
        private int truncated;
        private int withoutTarget;

        Counter(InstructionEncoder encoder) {
            this.encoder = encoder;
        }

        EncodedExample encode(InstructionRecord record) {
            EncodedExample encoded = encoder.encode(record.instruction(), record.input(), record.response());
            if (!encoded.hasTargets()) {
                withoutTarget++;
            } else if (encoded.truncated()) {
                truncated++;
            }
            return encoded;
        }
    }
}
