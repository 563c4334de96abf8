package org.fedlora4j.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.Sampling;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.tokenizer.TextStream;
import org.fedlora4j.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of the commands that generate texts. */
final class GenerationOptions {
    @Option(names = "--adapter", paramLabel = "DIR", description = "A PEFT adapter to use with the model.")
    private @Nullable Path adapter;

    @Option(
            names = "--max-new-tokens",
            paramLabel = "N",
            defaultValue = "256",
            description = "Tokens to generate at most (default: ${DEFAULT-VALUE}).")
    private int maxNewTokens;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "0",
            description = "0: the likeliest token, always (the default); 1: as the model's probabilities are.")
    private double temperature;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "1",
            description = "Draw from the likeliest tokens that hold this part of the probability only (default: "
                    + "${DEFAULT-VALUE}).")
    private double topP;

    @Option(
            names = "--seed",
            defaultValue = "1",
            description = "The same seed draws the same text (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End before this text; may be repeated.")
    private List<String> stops = new ArrayList<>();

    @Option(names = "--precision", defaultValue = "auto", description = "auto, f32, bf16, or f16 on a GPU.")
    private String precision = "auto";

    /** Refuses values out of range, before anything is opened. */
    void check() {
        if (maxNewTokens < 1) {
            throw new BadInputException("--max-new-tokens: " + maxNewTokens + ", wanted at least 1");
        }
        if (stops.contains("")) {
            throw new BadInputException("--stop: an empty text, wanted at least one character");
        }
        sampling();
        precision();
    }

    Optional<Path> adapter() {
        return Optional.ofNullable(adapter);
    }

    int maxNewTokens() {
        return maxNewTokens;
    }

    Precision precision() {
        return Precision.choose(precision).precision();
    }

    Sampling sampling() {
        return new Sampling(temperature, topP, seed);
    }

    TextStream stream(Tokenizer tokenizer) {
        return new TextStream(tokenizer, stops);
    }
}
