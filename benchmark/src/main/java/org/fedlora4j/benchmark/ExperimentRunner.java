package org.fedlora4j.benchmark;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.benchmark.data.InstructionData;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.StateFolder;
import org.fedlora4j.federation.data.ClientShard;
import org.fedlora4j.federation.data.PartitionTable;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.tokenizer.InstructionEncoder;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.fedlora4j.tokenizer.Tokenizer;

/** Runs experiments: data, training, evaluation, run folder. */
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
     * Runs the experiment or, to resume, what is left of it.
     *
     * @throws BadInputException if its settings, its data or what the run folder holds stand against it
     */
    public Result run(RunFolder.Mode mode) throws IOException {
        Precision.Choice precision = Precision.choose(experiment.precision());
        try (LanguageModel model = LanguageModel.open(experiment.model());
                Tokenizer tokenizer = Tokenizer.open(experiment.model())) {
            requireFit(model, tokenizer);
            List<ClientRecords> clients = clients(tokenizer);
            RunFolder folder = RunFolder.open(experiment, mode);
            progress.line("precision " + Fields...);
        }
    }
}
