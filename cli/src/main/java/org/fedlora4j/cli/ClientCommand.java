package org.fedlora4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.fedlora4j.benchmark.data.InstructionData;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.Progress;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Example;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.grpc.EventLog;
import org.fedlora4j.grpc.FederationClient;
import org.fedlora4j.grpc.RunOffer;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.tokenizer.EncodedExample;
import org.fedlora4j.tokenizer.InstructionEncoder;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.fedlora4j.tokenizer.Tokenizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Takes part in a federation across machines. */
@Command(
        name = "client",
        description = {
            "Take part in a federation across machines: train on data that stays here, send what is shared.",
            "Started again, it goes on where it stopped. docs/federation.md explains the settings."
        },
        footer = {"", "Example:", "  ./fedlora client hospital-a.yaml"})
final class ClientCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE.yaml", description = "The client's settings.")
    private Path file;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Use this value in place of the file's, such as precision=f32; may be repeated.")
    private List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        ClientFile settings = ClientFile.load(file, overrides);
        String id = settings.server().security().clientId();
        Path output = settings.output();
        Progress progress = Progress.onStderr();
        LanguageModel.Settings execution = LanguageModel.Settings.DEFAULT.withPrecision(
                Precision.choose(settings.precision()).precision());
        EventLog log = EventLog.to(output.resolve("client.jsonl"), progress::line);
        EventLog audit = EventLog.complete(output.resolve("audit.jsonl"));
        try (LanguageModel model = LanguageModel.open(settings.model(), execution);
                Tokenizer tokenizer = Tokenizer.open(settings.model());
                FederationClient client = new FederationClient(
                        settings.server(),
                        model.config(),
                        FederationClient.Settings.of(settings.policy()),
                        log,
                        audit)) {
            RunOffer offer = client.offer();
            ClientData data = new ClientData(id, examples(settings.data(), offer, tokenizer, progress));
            FederationClient.Outcome outcome =
                    client.run(offer, tokenizer.padId(), model, data, output.resolve("state"), new Steps(progress));
            MagnitudeAxis axis = outcome.shared().axis();
            write(outcome.shared().adapter(), axis, output.resolve("adapters/global"), settings.model());
            write(outcome.own(), axis, output.resolve("adapters/own"), settings.model());
        }
        return 0;
    }

    private static List<Example> examples(ClientFile.Data data, RunOffer offer, Tokenizer tokenizer, Progress progress)
            throws IOException {
        InstructionEncoder encoder =
                new InstructionEncoder(tokenizer, PromptTemplate.named(offer.template()), offer.maxTokens());
        List<Example> examples = new ArrayList<>();
        List<InstructionRecord> records = InstructionData.read(data.train(), data.fields(), problem -> {
            if (!data.skipBadRecords()) {
                throw problem;
            }
            progress.line("skipped: " + problem.getMessage());
        });
        for (InstructionRecord record : records) {
            EncodedExample encoded = encoder.encode(record.instruction(), record.input(), record.response());
            if (encoded.hasTargets()) {
                examples.add(new Example(encoded.ids(), encoded.labels()));
            }
        }
        progress.line(examples.size() + " training examples of " + records.size()
                + " records; the others leave no room for a response in " + offer.maxTokens() + " tokens");
        return examples;
    }

    /** In place of what an earlier run wrote. */
    private static void write(AdapterState adapter, MagnitudeAxis axis, Path folder, Path model) throws IOException {
        AtomicFiles.deleteRecursively(folder);
        PeftAdapter.write(adapter, axis, folder, model.toString());
    }

    /** Shows the client's own steps. */
    private record Steps(Progress progress) implements RunListener {
        @Override
        public void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
            progress.status(String.format(
                    Locale.ROOT,
                    "%s, %s, step %d/%d: loss %.3f",
                    context.label(),
                    context.phase().name(),
                    step,
                    context.phase().steps(),
                    loss));
        }
    }
}
