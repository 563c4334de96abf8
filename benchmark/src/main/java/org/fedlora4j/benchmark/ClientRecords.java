package org.fedlora4j.benchmark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
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
 * @param counts of all the client's records, drawn or not
 */
record ClientRecords(ClientData train, List<TestExample> test, DataCounts.Client counts) {

    /** @param records all of the client's */
    static ClientRecords of(
            String id,
            List<InstructionRecord> records,
            InstructionEncoder encoder,
            Experiment.Data settings,
            long seed) {
        Map<Integer, EncodedExample> fitting = new LinkedHashMap<>();
        for (int index = 0; index < records.size(); index++) {
            InstructionRecord record = records.get(index);
            EncodedExample encoded = encoder.encode(record.instruction(), record.input(), record.response());
            if (encoded.hasTargets()) {
                fitting.put(index, encoded);
            }
        }
        if (fitting.size() < 2) {
            throw new BadInputException("client " + id + ": " + fitting.size() + " records have a prompt of less than "
                    + settings.maxTokens() + " tokens, wanted at least 2: a larger data.max-tokens");
        }
        ClientShard drawnFrom = new ClientShard(
                id, fitting.keySet().stream().mapToInt(Integer::intValue).toArray());
        TrainTestSplit split = TrainTestSplit.of(drawnFrom, settings.trainPerClient(), settings.testPerClient(), seed);
        List<Example> train = new ArrayList<>();
        for (int index : split.train()) {
            train.add(example(Objects.requireNonNull(fitting.get(index))));
        }
        List<TestExample> test = new ArrayList<>();
        for (int index : split.test()) {
            InstructionRecord record = records.get(index);
            test.add(new TestExample(
                    example(Objects.requireNonNull(fitting.get(index))),
                    encoder.encodePrompt(record.instruction(), record.input()),
                    record.response()));
        }
        int truncated = (int) IntStream.concat(IntStream.of(split.train()), IntStream.of(split.test()))
                .filter(index -> Objects.requireNonNull(fitting.get(index)).truncated())
                .count();
        DataCounts.Client counts = new DataCounts.Client(
                records.size(),
                records.size() - fitting.size(),
                fitting.size() - train.size() - test.size(),
                train.size(),
                test.size(),
                truncated);
        return new ClientRecords(new ClientData(id, train), List.copyOf(test), counts);
    }

    private static Example example(EncodedExample encoded) {
        return new Example(encoded.ids(), encoded.labels());
    }

    String id() {
        return train.id();
    }

    /** What there is, what was cut off and what was not drawn, in one line. */
    String summary(int maxTokens) {
        return "%s: %d training and %d test examples, %d of them cut off at %d tokens; of %d records %d have too long a prompt and %d are more than is drawn"
                .formatted(
                        id(),
                        counts.trainExamples(),
                        counts.testExamples(),
                        counts.truncatedExamples(),
                        maxTokens,
                        counts.records(),
                        counts.recordsWithoutRoom(),
                        counts.recordsNotDrawn());
    }
}
