package org.fedlora4j.benchmark.suite;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.benchmark.ExperimentFile;

/** Results of jobs that were never run. */
public final class SyntheticResults {
    private static final JsonMapper JSON = new JsonMapper();

    private SyntheticResults() {}

    /** A suite that needs no files: methods of any recipe on one model and one data set. */
    public static Suite suite(Path folder, List<String> methods, List<Integer> seeds) throws IOException {
        StringBuilder list = new StringBuilder();
        methods.forEach(method -> list.append("  - {name: ").append(method).append(", recipe: fedavg-lora}\n"));
        Path file = Files.writeString(folder.resolve("suite.yaml"), """
                name: made-up
                output: %s/out
                models: {model: no-model}
                datasets: {data: {train: no-data, partition: {by: category}}}
                seeds: %s
                experiment: {rounds: 1}
                methods:
                %s""".formatted(folder, seeds, list));
        return SuiteFile.load(file, List.of());
    }

    /**
     * Writes the result of a job. Its global loss is 2, its ROUGE-L is a tenth of its loss.
     *
     * @param clients their names
     * @param localLosses by client; the job's is their mean
     */
    public static void write(Suite suite, String method, int seed, List<String> clients, double... localLosses)
            throws IOException {
        Job job = job(suite, method, seed);
        ObjectNode result = JSON.createObjectNode();
        result.set("config", ExperimentFile.toTree(job.experiment()));
        ObjectNode environment =
                result.putObject("environment").put("commit", "c0ffee").put("precision", "f32");
        environment
                .putObject("machine")
                .put("cpu", "<CPU> & Co")
                .put("cores", 2)
                .put("memoryBytes", 8_000_000_000L)
                .put("system", "Linux amd64");
        environment.putObject("versions").put("java", "17");
        result.put("seconds", 60).put("tokens", 1000).put("paddedShare", 0.1).put("skippedRecords", 0);
        double mean = Statistics.mean(localLosses);
        ObjectNode scores = result.putObject("scores");
        scores.set("base", metrics(3));
        scores.set("global", metrics(2));
        scores.set("local", metrics(mean));
        ArrayNode byClient = scores.putArray("clients");
        for (int i = 0; i < clients.size(); i++) {
            ObjectNode client = byClient.addObject().put("id", clients.get(i)).put("examples", 4);
            client.set("base", metrics(3));
            client.set("global", metrics(2));
            client.set("local", metrics(localLosses[i]));
        }
        ArrayNode rounds = result.putArray("rounds");
        ObjectNode warmUp = rounds.addObject().put("round", "warm-up 1/1").put("seconds", 10);
        warmUp.set("global", metrics(2.5));
        ObjectNode round = rounds.addObject().put("round", "round 1/1").put("seconds", 20);
        round.set("global", metrics(2));
        round.set("local", metrics(mean));
        result.putArray("drift")
                .addObject()
                .put("round", "round 1/1")
                .put("phase", "adapt")
                .putObject("resultants")
                .put("A.direction", 0.9);
        ObjectNode bytes = result.putObject("bytesPerRound");
        bytes.putObject("warm-up").put("up", 7).put("down", 7);
        bytes.putObject("adapt").put("up", 4000).put("down", 5000);
        ObjectNode data = result.putObject("data");
        ObjectNode total = data.putObject("total");
        total.put("records", 7).put("recordsWithoutRoom", 0).put("recordsNotDrawn", 0);
        total.put("trainExamples", 3).put("testExamples", 4).put("truncatedExamples", 0);
        data.putObject("clients");
        data.putNull("split");
        ObjectNode partition = result.putObject("partition");
        clients.forEach(client -> partition.putObject(client).put("a <b>", 3).put("c", 4));
        Path file = file(job);
        Files.createDirectories(file.getParent());
        Files.writeString(file, result.toPrettyString());
    }

    /** Adds scores of one unseen client to a result: all models have the same loss. */
    public static void addUnseen(Suite suite, String method, int seed, double loss) throws IOException {
        Path file = file(job(suite, method, seed));
        ObjectNode result = (ObjectNode) JSON.readTree(file.toFile());
        ObjectNode unseen = ((ObjectNode) result.path("scores")).putObject("unseen");
        ObjectNode client = unseen.putArray("clients").addObject();
        client.put("id", "newcomer").put("examples", 4);
        for (String model : List.of("base", "global", "local")) {
            unseen.set(model, metrics(loss));
            client.set(model, metrics(loss));
        }
        Files.writeString(file, result.toPrettyString());
    }

    private static Job job(Suite suite, String method, int seed) {
        return suite.jobs().stream()
                .filter(each -> each.method().equals(method) && each.seed() == seed)
                .findFirst()
                .orElseThrow();
    }

    private static Path file(Job job) {
        return job.experiment().output().resolve("result.json");
    }

    private static ObjectNode metrics(double loss) {
        return JSON.createObjectNode()
                .put("loss", loss)
                .put("perplexity", Math.exp(loss))
                .put("tokenAccuracy", 0.5)
                .put("rougeL", loss / 10)
                .putNull("exactMatch")
                .put("examples", 4);
    }
}
