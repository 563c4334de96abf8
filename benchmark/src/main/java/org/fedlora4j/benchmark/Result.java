package org.fedlora4j.benchmark;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;
import org.jspecify.annotations.Nullable;

/**
 * What an experiment came to: {@code result.json}.
 *
 * @param config the experiment with every default and the recipe written out
 * @param seconds of training and evaluation; of a resumed run, of all its parts
 * @param tokens trained on by all clients, padding not counted
 * @param paddedShare of all tokens that training computed, those that were padding
 * @param rounds the learning curve: every round, warm-up rounds included; the last has the final scores
 * @param drift how far clients' directions agreed, by round
 * @param bytesPerRound what one client sends and receives in a round, by phase
 * @param skippedRecords of the data, that could not be used
 * @param data what became of all other records
 * @param partition the number of records by client and category, without zeros
 */
public record Result(
        JsonNode config,
        Environment environment,
        double seconds,
        long tokens,
        double paddedShare,
        Scores scores,
        List<Round> rounds,
        List<Drift> drift,
        SortedMap<String, Bytes> bytesPerRound,
        long skippedRecords,
        DataCounts data,
        SortedMap<String, SortedMap<String, Integer>> partition) {
    /** What the scores of the base model depend on. */
    private static final List<String> BASE_SETTINGS = List.of("model", "data", "evaluate", "seed");

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            // Files of other versions have other fields too; without those that are read here, they are none.
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    /** Refuses to be without a part; a file that is read may lack it. */
    public Result {
        Objects.requireNonNull(config, "config");
        Objects.requireNonNull(environment, "environment");
        Objects.requireNonNull(scores, "scores");
        Objects.requireNonNull(rounds, "rounds");
        Objects.requireNonNull(drift, "drift");
        Objects.requireNonNull(bytesPerRound, "bytesPerRound");
        Objects.requireNonNull(data, "data");
        Objects.requireNonNull(partition, "partition");
    }

    /**
     * Reads {@code result.json}.
     *
     * @throws BadInputException if it isn't one
     */
    public static Result read(Path file) throws IOException {
        InputFiles.require(file, "a result in JSON");
        try {
            return MAPPER.readValue(Files.readString(file), Result.class);
        } catch (JacksonException e) {
            throw new BadInputException(file + ": no result of an experiment: " + e.getOriginalMessage(), e);
        }
    }

    /**
     * Whether another experiment, run here, would come to the same scores of the base model.
     *
     * @param here the environment of the other
     */
    boolean hasBaseScoresOf(Experiment other, Environment here) {
        JsonNode settings = ExperimentFile.toTree(other);
        return environment.equals(here)
                && BASE_SETTINGS.stream().allMatch(key -> config.path(key).equals(settings.path(key)));
    }

    /**
     * Scores of three models: the one without an adapter, the shared one, and every client's own.
     *
     * @param base on every client's tests; the mean over clients, weighted by their numbers of examples
     * @param global likewise
     * @param local each client's model on its own tests, likewise
     * @param plainMeans in which every client counts the same
     * @param spread over clients
     * @param worst the clients served worst
     * @param clients those that took part in training, by id
     * @param unseen of the clients that didn't, and only personalised afterwards; null if there were none
     */
    public record Scores(
            Metrics base,
            Metrics global,
            Metrics local,
            Models<Metrics> plainMeans,
            Models<Spread> spread,
            Models<Worst> worst,
            List<ClientScores> clients,
            @Nullable Scores unseen) {

        /** @param clients at least one, with ids in order */
        static Scores of(List<ClientScores> clients, @Nullable Scores unseen) {
            Models<List<Metrics>> scores = byModel(clients);
            List<String> ids = clients.stream().map(ClientScores::id).toList();
            Models<Metrics> means = scores.map(each -> Metrics.mean(each, true));
            return new Scores(
                    means.base(),
                    means.global(),
                    means.local(),
                    scores.map(each -> Metrics.mean(each, false)),
                    scores.map(Spread::of),
                    scores.map(each -> Worst.of(ids, each)),
                    List.copyOf(clients),
                    unseen);
        }

        /** The base model's scores on each client's tests. */
        SortedMap<String, Metrics> baseByClient() {
            SortedMap<String, Metrics> base = new TreeMap<>();
            clients.forEach(client -> base.put(client.id(), client.base()));
            return base;
        }

        /** The clients' scores in their order. */
        static Models<List<Metrics>> byModel(List<ClientScores> clients) {
            return new Models<>(
                    clients.stream().map(ClientScores::base).toList(),
                    clients.stream().map(ClientScores::global).toList(),
                    clients.stream().map(ClientScores::local).toList());
        }
    }

    /** The same of each of the three models. */
    public record Models<T extends @Nullable Object>(T base, T global, T local) {

        <U extends @Nullable Object> Models<U> map(Function<T, U> function) {
            return new Models<>(function.apply(base), function.apply(global), function.apply(local));
        }
    }

    /** Scores on one client's tests. */
    public record ClientScores(String id, int examples, Metrics base, Metrics global, Metrics local) {}

    /**
     * A round, and the scores of the models after it, means over clients as in {@link Scores}.
     *
     * @param round such as {@code round 2/6}
     * @param seconds that it took, evaluation included
     * @param global null where it wasn't evaluated
     * @param local likewise
     */
    public record Round(
            String round,
            double seconds,
            @Nullable Metrics global,
            @Nullable Metrics local) {
        /** The rounds, the last with the final scores, which were measured after it. */
        static List<Round> withFinal(List<Round> rounds, Scores scores) {
            List<Round> all = new ArrayList<>(rounds);
            Round last = all.remove(all.size() - 1);
            all.add(new Round(last.round, last.seconds, scores.global, scores.local));
            return all;
        }
    }

    /**
     * How far clients agreed in a phase of one round.
     *
     * @param round such as {@code round 2/6}
     * @param resultants the mean resultant length by part: 1 where all directions are the same
     */
    public record Drift(String round, String phase, SortedMap<String, Double> resultants) {}

    /** Of the payload: 4 a value. */
    public record Bytes(long up, long down) {}

    /** The result as JSON. */
    public String toJson() throws IOException {
        return MAPPER.writeValueAsString(this) + "\n";
    }

    void write(Path file) throws IOException {
        AtomicFiles.writeString(file, toJson());
    }
}
