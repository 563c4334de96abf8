package org.fedlora4j.converter;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.converter.gguf.GgufMetadata;
import org.fedlora4j.converter.gguf.GgufWriter;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;

/** A LLaMA's configuration in GGUF's metadata; defaults of absent keys are llama.cpp's. */
final class GgufConfig {
    private static final String ARCHITECTURE = "general.architecture";
    private static final String LAYERS = "llama.block_count";
    private static final String MAX_POSITIONS = "llama.context_length";
    private static final String HIDDEN_SIZE = "llama.embedding_length";
    private static final String INTERMEDIATE_SIZE = "llama.feed_forward_length";
    private static final String HEADS = "llama.attention.head_count";
    private static final String KEY_VALUE_HEADS = "llama.attention.head_count_kv";
    private static final String KEY_SIZE = "llama.attention.key_length";
    private static final String VALUE_SIZE = "llama.attention.value_length";
    private static final String RMS_NORM_EPS = "llama.attention.layer_norm_rms_epsilon";
    private static final String ROPE_THETA = "llama.rope.freq_base";
    private static final String ROPE_SIZE = "llama.rope.dimension_count";
    private static final String ROPE_SCALING = "llama.rope.scaling.type";
    private static final String ROPE_SCALING_FACTOR = "llama.rope.scaling.factor";
    private static final String VOCABULARY_SIZE = "llama.vocab_size";

    /** LLaMA 3.1's, and those of all that followed. */
    private static final double LOW_FREQUENCY_FACTOR = 1;

    private static final double HIGH_FREQUENCY_FACTOR = 4;

    /** Of a file's factors, which llama.cpp computes in float32 in another order than this. */
    private static final double FACTOR_TOLERANCE = 4e-6;

    /** {@code GGML_QNT_VERSION} of ggml.h. */
    private static final int QUANTISATION_VERSION = 2;

    private GgufConfig() {}

    /**
     * Reads the configuration.
     *
     * @param file for messages
     * @param tied whether the file has no head of its own
     * @param ropeFactors of {@link GgufNames#ROPE_FACTORS}; empty where the file has none
     */
    static LlamaConfig read(String file, GgufMetadata metadata, boolean tied, float[] ropeFactors) {
        if (!metadata.text(ARCHITECTURE).equals(Optional.of("llama"))) {
            throw metadata.wrong(ARCHITECTURE, "llama: no other model is supported");
        }
        if (metadata.integer("split.count").orElse(1) > 1) {
            throw metadata.wrong("split.count", "1: a model in several files is not supported");
        }
        int hiddenSize = metadata.requireInteger(HIDDEN_SIZE);
        int heads = metadata.requireInteger(HEADS);
        int headSize = metadata.integer(KEY_SIZE).orElse(hiddenSize / Math.max(1, heads));
        for (String key : List.of(VALUE_SIZE, ROPE_SIZE)) {
            if (metadata.integer(key).orElse(headSize) != headSize) {
                throw metadata.wrong(key, headSize + ", the size of a head");
            }
        }
        double theta = metadata.number(ROPE_THETA).orElse(10_000);
        return located(
                file,
                () -> new LlamaConfig(
                        metadata.integer(VOCABULARY_SIZE)
                                .orElseGet(() ->
                                        metadata.texts(GgufTokenizer.TOKENS).size()),
                        hiddenSize,
                        metadata.requireInteger(INTERMEDIATE_SIZE),
                        metadata.requireInteger(LAYERS),
                        heads,
                        metadata.integer(KEY_VALUE_HEADS).orElse(heads),
                        headSize,
                        metadata.requireNumber(RMS_NORM_EPS),
                        theta,
                        ropeFactors.length == 0
                                ? linear(metadata)
                                : llama3(file, metadata, headSize, theta, ropeFactors),
                        tied,
                        metadata.requireInteger(MAX_POSITIONS)));
    }

    /**
     * Writes what {@link #read} reads, but for the factors of {@link GgufNames#ROPE_FACTORS}.
     *
     * @param name of the model
     */
    static void write(LlamaConfig config, String name, WeightType type, GgufWriter writer) {
        writer.text(ARCHITECTURE, "llama")
                .text("general.type", "model")
                .text("general.name", name)
                .integer("general.file_type", fileType(type))
                .integer("general.quantization_version", QUANTISATION_VERSION)
                .integer(LAYERS, config.layers())
                .integer(MAX_POSITIONS, config.maxPositions())
                .integer(HIDDEN_SIZE, config.hiddenSize())
                .integer(INTERMEDIATE_SIZE, config.intermediateSize())
                .integer(HEADS, config.heads())
                .integer(KEY_VALUE_HEADS, config.keyValueHeads())
                .integer(KEY_SIZE, config.headSize())
                .integer(VALUE_SIZE, config.headSize())
                .number(RMS_NORM_EPS, config.rmsNormEps())
                .number(ROPE_THETA, config.ropeTheta())
                .integer(ROPE_SIZE, config.headSize())
                .integer(VOCABULARY_SIZE, config.vocabularySize());
        if (config.ropeScaling() instanceof RopeScaling.Linear scaling) {
            writer.text(ROPE_SCALING, "linear").number(ROPE_SCALING_FACTOR, scaling.factor());
        }
    }

    /** Numbers of {@code enum llama_ftype} (llama.h); where most tensors have the type. */
    private static int fileType(WeightType type) {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case Q8_0 -> 7;
            case BF16 -> 32;
        };
    }

    private static RopeScaling linear(GgufMetadata metadata) {
        // The older key is llama.cpp's of 2023.
        OptionalDouble factor = metadata.number(ROPE_SCALING_FACTOR);
        if (factor.isEmpty()) {
            factor = metadata.number("llama.rope.scale_linear");
        }
        return switch (metadata.text(ROPE_SCALING).orElse("linear")) {
            case "none" -> new RopeScaling.None();
            case "linear" ->
                factor.isEmpty() || factor.getAsDouble() == 1
                        ? new RopeScaling.None()
                        : new RopeScaling.Linear(factor.getAsDouble());
            default -> throw metadata.wrong(ROPE_SCALING, "none or linear: no other scaling is supported");
        };
    }

    /**
     * The scaling whose factors a file has. Its factor is that of the longest wave; its original length is found by
     * trying: all that reproduce the factors give the same frequencies.
     */
    private static RopeScaling llama3(String file, GgufMetadata metadata, int headSize, double theta, float[] factors) {
        if (linear(metadata) instanceof RopeScaling.Linear) {
            throw metadata.wrong(ROPE_SCALING_FACTOR, "none beside " + GgufNames.ROPE_FACTORS);
        }
        if (IntStream.range(0, factors.length).allMatch(i -> factors[i] == 1)) {
            return new RopeScaling.None();
        }
        double factor = factors[factors.length - 1];
        return Stream.concat(Stream.of(8192), Stream.iterate(1, length -> length <= 1 << 24, length -> 2 * length))
                .map(length -> new RopeScaling.Llama3(factor, LOW_FREQUENCY_FACTOR, HIGH_FREQUENCY_FACTOR, length))
                .filter(scaling -> isClose(factors(scaling, headSize, theta), factors))
                .findFirst()
                .orElseThrow(() -> new BadInputException(file + ": " + GgufNames.ROPE_FACTORS
                        + " holds factors that are not those of LLaMA 3's scaling; wanted these, with low_freq_factor "
                        + LOW_FREQUENCY_FACTOR + " and high_freq_factor " + HIGH_FREQUENCY_FACTOR));
    }

    private static boolean isClose(float[] found, float[] wanted) {
        return found.length == wanted.length
                && IntStream.range(0, found.length)
                        .allMatch(i -> Math.abs(found[i] - wanted[i]) <= FACTOR_TOLERANCE * Math.abs(wanted[i]));
    }

    /** What the scaling divides each frequency by, as {@code convert_hf_to_gguf.py} computes it. */
    static float[] factors(RopeScaling.Llama3 scaling, int headSize, double theta) {
        float[] factors = new float[headSize / 2];
        double original = scaling.originalMaxPositions();
        for (int i = 0; i < factors.length; i++) {
            double waveLength = 2 * Math.PI * Math.pow(theta, 2.0 * i / headSize);
            double kept = (original / waveLength - scaling.lowFrequencyFactor())
                    / (scaling.highFrequencyFactor() - scaling.lowFrequencyFactor());
            double clamped = Math.max(0, Math.min(1, kept));
            factors[i] = (float) (1 / ((1 - clamped) / scaling.factor() + clamped));
        }
        return factors;
    }

    private static LlamaConfig located(String file, Supplier<LlamaConfig> config) {
        try {
            return config.get();
        } catch (BadInputException e) {
            throw String.valueOf(e.getMessage()).startsWith(file)
                    ? e
                    : new BadInputException(file + ": " + e.getMessage(), e);
        }
    }
}
