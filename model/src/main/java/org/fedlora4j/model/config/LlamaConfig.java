package org.fedlora4j.model.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;

/**
 * The shape of a LLaMA model (arXiv 2302.13971) and of its kin: all that the graph is built from.
 *
 * @param vocabularySize tokens the model knows
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width of the feed-forward block
 * @param layers decoder layers
 * @param heads query heads
 * @param keyValueHeads heads of keys and values; each serves {@code heads / keyValueHeads} query heads
 * @param headSize width of a head, even; {@code heads * headSize} need not be {@code hiddenSize}
 * @param rmsNormEps added to the mean square in RMSNorm
 * @param ropeTheta base of the rotary embedding's frequencies
 * @param ropeScaling how these frequencies are stretched
 * @param tiedEmbeddings whether the output head is the token embedding
 * @param maxPositions longest text the model was made for, in tokens
 */
public record LlamaConfig(
        int vocabularySize,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int keyValueHeads,
        int headSize,
        double rmsNormEps,
        double ropeTheta,
        RopeScaling ropeScaling,
        boolean tiedEmbeddings,
        int maxPositions) {
    /** @throws BadInputException if a value makes no model; named as in {@code config.json} */
    public LlamaConfig {
        requirePositive("vocab_size", vocabularySize);
        requirePositive("hidden_size", hiddenSize);
        requirePositive("intermediate_size", intermediateSize);
        requirePositive("num_hidden_layers", layers);
        requirePositive("num_attention_heads", heads);
        requirePositive("num_key_value_heads", keyValueHeads);
        requirePositive("head_dim", headSize);
        requirePositive("rms_norm_eps", rmsNormEps);
        requirePositive("rope_theta", ropeTheta);
        requirePositive("max_position_embeddings", maxPositions);
        if (heads % keyValueHeads != 0) {
            throw new BadInputException(
                    "num_key_value_heads is " + keyValueHeads + "; wanted a divisor of num_attention_heads, " + heads);
        }
        if (headSize % 2 != 0) {
            throw new BadInputException("head_dim is " + headSize + "; wanted an even number");
        }
        if ((long) heads * headSize > Integer.MAX_VALUE) {
            throw new BadInputException(
                    "num_attention_heads times head_dim is " + (long) heads * headSize + "; wanted less than 2^31");
        }
    }

    /** Width of all query heads together: {@code heads * headSize}. */
    public int querySize() {
        return heads * headSize;
    }

    /** Width of all key heads together, and of all value heads: {@code keyValueHeads * headSize}. */
    public int keyValueSize() {
        return keyValueHeads * headSize;
    }

    /** The angle per position of each rotated pair of a head: {@code [headSize / 2]}. */
    public double[] inverseFrequencies() {
        return ropeScaling.inverseFrequencies(headSize, ropeTheta);
    }

    /**
     * Reads a {@code config.json} with top-level {@code rope_theta} and {@code rope_scaling}, or with
     * {@code rope_parameters}.
     *
     * @throws BadInputException if a field is missing or wrong, or asks for what is not supported
     */
    public static LlamaConfig read(Path configJson) throws IOException {
        return LlamaConfigJson.read(JsonFields.read(configJson));
    }

    /** The configuration as Hugging Face's {@code config.json} has it; what else belongs there the caller may add. */
    public ObjectNode toJson() {
        return LlamaConfigJson.write(this);
    }

    /** Writes {@link #toJson()} to a file. */
    public void write(Path configJson) throws IOException {
        AtomicFiles.writeString(configJson, toJson().toPrettyString() + "\n");
    }

    private static void requirePositive(String field, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new BadInputException(field + " is " + value + "; wanted a positive number");
        }
    }
}
