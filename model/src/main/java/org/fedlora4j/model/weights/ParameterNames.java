package org.fedlora4j.model.weights;

import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * The parameters of a LLaMA and their names in Hugging Face's checkpoints, both ways. Rows of the query and key
 * projections are in Hugging Face's order: the two halves of a head rotate as pairs {@code (i, i + headSize / 2)}.
 */
public final class ParameterNames {
    private static final Pattern IN_LAYER = Pattern.compile("model\\.layers\\.(0|[1-9][0-9]{0,8})\\.(.+)");

    /** Buffers in files of LLaMA 1 and 2; the frequencies follow from the configuration. */
    private static final Pattern IGNORED =
            Pattern.compile("model\\.(layers\\.[0-9]{1,9}\\.self_attn\\.)?rotary_emb\\.inv_freq");

    private ParameterNames() {}

    /** What a parameter does. */
    public enum Role {
        EMBEDDING("model.embed_tokens.weight"),
        INPUT_NORM("input_layernorm.weight"),
        QUERY("self_attn.q_proj.weight"),
        KEY("self_attn.k_proj.weight"),
        VALUE("self_attn.v_proj.weight"),
        OUTPUT("self_attn.o_proj.weight"),
        POST_ATTENTION_NORM("post_attention_layernorm.weight"),
        GATE("mlp.gate_proj.weight"),
        UP("mlp.up_proj.weight"),
        DOWN("mlp.down_proj.weight"),
        FINAL_NORM("model.norm.weight"),
        HEAD("lm_head.weight");

        private final String suffix;

        Role(String suffix) {
            this.suffix = suffix;
        }

        /** Whether every layer has one; else the model has one. */
        public boolean inLayer() {
            return this != EMBEDDING && this != FINAL_NORM && this != HEAD;
        }

        /** {@code [out, in]} of a projection or table, {@code [hidden]} of a norm. */
        public long[] shape(LlamaConfig config) {
            long hidden = config.hiddenSize();
            return switch (this) {
                case EMBEDDING, HEAD -> new long[] {config.vocabularySize(), hidden};
                case INPUT_NORM, POST_ATTENTION_NORM, FINAL_NORM -> new long[] {hidden};
                case QUERY -> new long[] {config.querySize(), hidden};
                case KEY, VALUE -> new long[] {config.keyValueSize(), hidden};
                case OUTPUT -> new long[] {hidden, config.querySize()};
                case GATE, UP -> new long[] {config.intermediateSize(), hidden};
                case DOWN -> new long[] {hidden, config.intermediateSize()};
            };
        }

        /** The product of the {@link #shape}. */
        public long elements(LlamaConfig config) {
            return Arrays.stream(shape(config)).reduce(1, Math::multiplyExact);
        }
    }

    /**
     * One parameter of a model.
     *
     * @param layer from 0; -1 where the role is not in a layer
     */
    public record Parameter(int layer, Role role) {
        public Parameter {
            if (role.inLayer() ? layer < 0 : layer != -1) {
                throw new IllegalArgumentException(role + " in layer " + layer);
            }
        }

        /** The name in Hugging Face's checkpoints. */
        public String name() {
            return role.inLayer() ? "model.layers." + layer + "." + role.suffix : role.suffix;
        }
    }

    /** The name of a parameter that every layer has. */
    public static String name(int layer, Role role) {
        return new Parameter(layer, role).name();
    }

    /** The name of a parameter that the model has once. */
    public static String name(Role role) {
        return new Parameter(-1, role).name();
    }

    /**
     * The parameter of a name.
     *
     * @throws BadInputException if no LLaMA has a parameter of this name
     */
    public static Parameter parse(String name) {
        Matcher matcher = IN_LAYER.matcher(name);
        boolean inLayer = matcher.matches();
        String suffix = inLayer ? matcher.group(2) : name;
        for (Role role : Role.values()) {
            if (role.inLayer() == inLayer && role.suffix.equals(suffix)) {
                return new Parameter(inLayer ? Integer.parseInt(matcher.group(1)) : -1, role);
            }
        }
        throw new BadInputException(name + ": no LLaMA model has a parameter of this name");
    }

    /** Whether a tensor is a buffer in old files that no model needs. */
    public static boolean isIgnored(String name) {
        return IGNORED.matcher(name).matches();
    }

    /** Every parameter of a model, in the order of the computation. */
    public static Stream<Parameter> of(LlamaConfig config) {
        Stream<Parameter> layers = IntStream.range(0, config.layers())
                .boxed()
                .flatMap(layer ->
                        Stream.of(Role.values()).filter(Role::inLayer).map(role -> new Parameter(layer, role)));
        Stream<Parameter> end = config.tiedEmbeddings()
                ? Stream.of(new Parameter(-1, Role.FINAL_NORM))
                : Stream.of(new Parameter(-1, Role.FINAL_NORM), new Parameter(-1, Role.HEAD));
        return Stream.concat(Stream.of(new Parameter(-1, Role.EMBEDDING)), Stream.concat(layers, end));
    }
}
