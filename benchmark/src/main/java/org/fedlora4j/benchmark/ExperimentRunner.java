package org.fedlora4j.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Function;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.Fields;
import org.fedlora4j.federation.StateFolder;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * Runs an experiment: reads and divides its data, trains, evaluates, and writes the run folder. A resumed run ends with
 * the same adapters and scores, bit for bit, as one that was never interrupted.
 */
public final class ExperimentRunner {
    private final Experiment experiment;
    private final Progress progress;
    private final InstantSource clock = InstantSource.system();

    /** @param progress shows the partition, what was cut off, training and evaluation */
    public ExperimentRunner(Experiment experiment, Progress progress) {
        this.experiment = experiment;
        this.progress = progress;
    }

    /**
     * What differs between the experiment and the run that its output folder holds already: see {@link
     * ExperimentDifferences#of}. Empty where there is no run, too.
     */
    public List<String> differencesFromExistingRun() throws IOException {
        return RunFolder.holdsRun(experiment.output()) ? RunFolder.differences(experiment) : List.of();
    }

    /** The result that the output folder holds, if its run is complete; of the same experiment or of another. */
    public Optional<Result> existingResult() throws IOException {
        Path file = new RunFolder(experiment.output()).result();
        return Files.exists(file) ? Optional.of(Result.read(file)) : Optional.empty();
    }

    /**
     * Deletes what a run resumes from, of one that is complete; its adapters and its result stay. It is several times as
     * large as an adapter.
     */
    public void deleteStates() throws IOException {
        AtomicFiles.deleteRecursively(new RunFolder(experiment.output()).states());
    }

    /**
     * Runs the experiment, or what is left of it.
     *
     * @throws BadInputException if the settings, the model or the data don't fit together, or what the run folder holds
     *     stands against it; nothing has been written then
     */
    public Result run(ExistingRun existing) throws IOException {
        return run(existing, List.of());
    }

    /**
     * Runs the experiment, or what is left of it, beside others.
     *
     * @param others complete runs; the base model isn't scored again where one of them did so on the same tests
     * @throws BadInputException as {@link #run(ExistingRun)}
     */
    public Result run(ExistingRun existing, Collection<Result> others) throws IOException {
        Precision.Choice precision = Precision.choose(experiment.precision());
        RunFolder.check(experiment, existing, precision);
        LanguageModel.Settings settings = LanguageModel.Settings.DEFAULT
                .withPrecision(precision.precision())
                .withRecompute(experiment.recompute());
        try (LanguageModel model = LanguageModel.open(experiment.model(), settings);
                Tokenizer tokenizer = Tokenizer.open(experiment.model())) {
            requireFit(model, tokenizer);
            ExperimentData data = new DataDivision(experiment, tokenizer, progress).divide();
            requireRanked(data.partition().keySet());
            progress.line("precision " + model.settings().precision() + ": " + precision.reason());
            progress.line("recompute " + Fields.hyphenated(model.settings().recompute()));
            try (Federation federation = federation(model, tokenizer, data.clients());
                    Evaluator evaluator =
                            new Evaluator(model, tokenizer, experiment.lora(), experiment.evaluation(), progress)) {
                RunFolder folder = RunFolder.open(experiment, existing, precision);
                Environment environment = Environment.here(model.settings().precision());
                Optional<Result> sameBase = others.stream()
                        .filter(other -> other.hasBaseScoresOf(experiment, environment))
                        .findFirst();
                return run(federation, evaluator, data, folder, environment, sameBase.map(Result::scores));
            }
        }
    }

    private Result run(
            Federation federation,
            Evaluator evaluator,
            ExperimentData data,
            RunFolder folder,
            Environment environment,
            Optional<Result.Scores> sameBase)
            throws IOException {
        boolean personal = !experiment.recipe().privateParts().isEmpty()
                || !experiment.clientRanks().isEmpty();
        ModelScores scores = new ModelScores(evaluator, data.clients(), personal, sameBase);
        MetricsLog log = new MetricsLog(folder.metrics());
        TrainingProgress training = new TrainingProgress(progress, clock, federation.clientsPerRound());
        federation.run(
                new RunRecorder(experiment.evaluation(), scores, log, training, progress, clock),
                new StateFolder(folder.states()));
        MagnitudeAxis axis = experiment.recipe().magnitudeAxis();
        folder.writeAdapter("global", federation.global(), axis, experiment.model());
        for (String client : federation.clientIds()) {
            folder.writeAdapter("client-" + client, federation.personal(client), axis, experiment.model());
        }
        Instant began = clock.instant();
        Result.Scores finalScores = Result.Scores.of(
                clientScores(federation, scores, federation::personal, data.clients()),
                unseenScores(
                        federation,
                        new ModelScores(evaluator, data.unseen(), personal, sameBase.map(Result.Scores::unseen)),
                        data.unseen(),
                        folder));
        Result result = new Result(
                ExperimentFile.toTree(experiment),
                environment,
                log.seconds() + Duration.between(began, clock.instant()).toNanos() / 1e9,
                log.tokens(),
                log.paddedShare(),
                finalScores,
                Result.Round.withFinal(log.rounds(), finalScores),
                log.drift(),
                log.bytes(),
                data.skippedRecords(),
                data.counts(),
                data.partition());
        result.write(folder.result());
        return result;
    }

    /** @param own each client's own model */
    private List<Result.ClientScores> clientScores(
            Federation federation,
            ModelScores scores,
            Function<String, AdapterState> own,
            List<ClientRecords> clients) {
        boolean generate = experiment.evaluation().rouge();
        SortedMap<String, Metrics> base = scores.base(generate);
        // Where nothing is shared, the global model is still the base model.
        SortedMap<String, Metrics> global =
                federation.global().isTrained() ? scores.global(federation, generate) : base;
        SortedMap<String, Metrics> local = scores.local(federation, own, global, generate);
        List<Result.ClientScores> byClient = new ArrayList<>();
        for (ClientRecords client : clients) {
            byClient.add(new Result.ClientScores(
                    client.id(),
                    client.test().size(),
                    Objects.requireNonNull(base.get(client.id())),
                    Objects.requireNonNull(global.get(client.id())),
                    Objects.requireNonNull(local.get(client.id()))));
        }
        return byClient;
    }

    /** Lets clients that took no part in training personalise the global model, keeps what they make and scores it. */
    private Result.@Nullable Scores unseenScores(
            Federation federation, ModelScores scores, List<ClientRecords> unseen, RunFolder folder)
            throws IOException {
        if (unseen.isEmpty()) {
            return null;
        }
        Map<String, AdapterState> own = new HashMap<>();
        for (ClientRecords client : unseen) {
            AdapterState adapter = federation.personalised(ranked(client), new PersonalisingProgress(progress));
            own.put(client.id(), adapter);
            folder.writeAdapter(
                    "unseen-" + client.id(), adapter, experiment.recipe().magnitudeAxis(), experiment.model());
        }
        return Result.Scores.of(
                clientScores(federation, scores, id -> Objects.requireNonNull(own.get(id)), unseen), null);
    }

    private void requireFit(LanguageModel model, Tokenizer tokenizer) {
        if (tokenizer.vocabularySize() > model.config().vocabularySize()) {
            throw new BadInputException(experiment.model() + ": the tokenizer has ids up to "
                    + (tokenizer.vocabularySize() - 1) + ", wanted less than the model's vocab_size, "
                    + model.config().vocabularySize());
        }
        int maxTokens = experiment.data().maxTokens();
        if (maxTokens > model.config().maxPositions()) {
            throw new BadInputException("data.max-tokens: " + maxTokens + ", wanted at most the model's "
                    + "max_position_embeddings, " + model.config().maxPositions());
        }
    }

    private Federation federation(LanguageModel model, Tokenizer tokenizer, List<ClientRecords> clients) {
        Federation.Settings settings = new Federation.Settings(
                experiment.lora(),
                experiment.recipe(),
                experiment.rounds(),
                experiment.batchSize(),
                experiment.batchWindow(),
                tokenizer.padId(),
                experiment.seed(),
                experiment.participation());
        return new Federation(
                model, settings, clients.stream().map(this::ranked).toList());
    }

    private ClientData ranked(ClientRecords client) {
        Integer rank = experiment.clientRanks().get(client.id());
        return rank == null ? client.train() : client.train().withRank(rank);
    }

    private void requireRanked(Set<String> clients) {
        for (String id : experiment.clientRanks().keySet()) {
            if (!clients.contains(id)) {
                throw new BadInputException(
                        "lora.client-ranks." + id + ": no client of that name, wanted some of " + clients);
            }
        }
    }
}
