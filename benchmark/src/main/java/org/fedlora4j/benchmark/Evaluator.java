package org.fedlora4j.benchmark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import org.fedlora4j.benchmark.Metrics.ExampleScore;
import org.fedlora4j.benchmark.Metrics.ResponseScore;
import org.fedlora4j.benchmark.metrics.ExactMatch;
import org.fedlora4j.benchmark.metrics.Rouge;
import org.fedlora4j.common.Progress;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.TrainableAdapter;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.GenerationRequest;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.tokenizer.Tokenizer;

/**
 * Evaluates adapters of one model. Loss and token accuracy are of the wanted responses; ROUGE and exact match are of
 * greedily generated ones. The batches depend on the examples alone, so every adapter is measured alike.
 */
final class Evaluator implements AutoCloseable {
    private static final Rouge ROUGE = new Rouge(true);

    private final Tokenizer tokenizer;
    private final Experiment.Evaluation settings;
    private final Progress progress;
    private final TrainableAdapter adapter;
    private final AdaptedModel adapted;
    private final AdaptedModel base;

    Evaluator(
            LanguageModel model,
            Tokenizer tokenizer,
            LoraConfig lora,
            Experiment.Evaluation settings,
            Progress progress) {
        this.tokenizer = tokenizer;
        this.settings = settings;
        this.progress = progress;
        // Without trained parts it holds whole matrices, so the axis has no effect.
        this.adapter = new TrainableAdapter(model.config(), lora, Set.of(), MagnitudeAxis.ROW);
        this.adapted = model.with(adapter);
        this.base = model.with(Adapter.NONE);
    }

    /**
     * Evaluates the model with an adapter.
     *
     * @param generate whether responses are generated too
     * @param what is evaluated, to be shown
     */
    Metrics evaluate(AdapterState state, List<TestExample> examples, boolean generate, String what) {
        adapter.load(state);
        return evaluate(adapted, examples, generate, what);
    }

    /** Evaluates the model without an adapter. */
    Metrics evaluateBase(List<TestExample> examples, boolean generate, String what) {
        return evaluate(base, examples, generate, what);
    }

    private Metrics evaluate(AdaptedModel subject, List<TestExample> examples, boolean generate, String what) {
        List<Score> scores = inBatches(
                examples, test -> test.example().ids().length, batch -> score(subject, batch), what + ", scoring");
        if (!generate) {
            return Metrics.of(
                    scores.stream().map(score -> new ExampleScore(score, null)).toList());
        }
        List<String> responses = inBatches(
                examples, test -> test.prompt().length, batch -> respond(subject, batch), what + ", generating");
        List<ExampleScore> all = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            String reference = examples.get(i).reference();
            String response = responses.get(i);
            Rouge.Scores rouge = ROUGE.score(reference, response);
            all.add(new ExampleScore(
                    scores.get(i),
                    new ResponseScore(
                            rouge.rouge1().f1(),
                            rouge.rouge2().f1(),
                            rouge.rougeL().f1(),
                            ExactMatch.matches(reference, response) ? 1 : 0)));
        }
        return Metrics.of(all);
    }

    private List<Score> score(AdaptedModel subject, List<TestExample> batch) {
        int[][] ids = batch.stream().map(test -> test.example().ids()).toArray(int[][]::new);
        int[][] labels = batch.stream().map(test -> test.example().labels()).toArray(int[][]::new);
        return subject.score(new TokenBatch(ids, labels, tokenizer.padId()));
    }

    private List<String> respond(AdaptedModel subject, List<TestExample> batch) {
        int[][] prompts = batch.stream().map(TestExample::prompt).toArray(int[][]::new);
        return Arrays.stream(subject.generate(
                        GenerationRequest.greedy(prompts, settings.maxNewTokens(), tokenizer.endIds())))
                .map(tokenizer::decode)
                .toList();
    }

    /** Applies a function to batches of examples of similar length; the results are in the order of the examples. */
    private <T> List<T> inBatches(
            List<TestExample> examples,
            ToIntFunction<TestExample> length,
            Function<List<TestExample>, List<T>> function,
            String what) {
        List<Integer> order = IntStream.range(0, examples.size())
                .boxed()
                .sorted(Comparator.comparingInt(i -> length.applyAsInt(examples.get(i))))
                .toList();
        List<T> results = new ArrayList<>(Collections.nCopies(examples.size(), null));
        for (int from = 0; from < order.size(); from += settings.batchSize()) {
            progress.status(what + ": " + from + " of " + order.size() + " examples");
            List<Integer> batch = order.subList(from, Math.min(from + settings.batchSize(), order.size()));
            List<T> part = function.apply(batch.stream().map(examples::get).toList());
            for (int i = 0; i < batch.size(); i++) {
                results.set(batch.get(i), part.get(i));
            }
        }
        return results;
    }

    @Override
    public void close() {
        base.close();
        adapted.close();
        adapter.close();
    }
}
