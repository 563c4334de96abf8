package org.fedlora4j.converter;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.ParameterNames.Role;

/**
 * What llama.cpp's {@code convert_hf_to_gguf.py} ({@code LlamaModel}) makes of a LLaMA's parameters: other names, and
 * another order of the rows of q and k. Hugging Face rotates the pairs {@code (i, i + d/2)} of a head of size d, llama.cpp
 * the pairs {@code (2i, 2i + 1)}.
 */
final class GgufNames {
    /** What llama3 scaling divides each frequency by, F32 [d/2]. */
    static final String ROPE_FACTORS = "rope_freqs.weight";

    private static final Pattern IN_LAYER = Pattern.compile("blk\\.(0|[1-9][0-9]{0,8})\\.(.+)");

    private GgufNames() {}

    static String name(Parameter parameter) {
        String name = name(parameter.role());
        return parameter.role().inLayer() ? "blk." + parameter.layer() + "." + name : name;
    }

    /** The parameter of a name; empty if a LLaMA has none such. */
    static Optional<Parameter> parse(String name) {
        Matcher matcher = IN_LAYER.matcher(name);
        boolean inLayer = matcher.matches();
        String suffix = inLayer ? matcher.group(2) : name;
        for (Role role : Role.values()) {
            if (role.inLayer() == inLayer && name(role).equals(suffix)) {
                return Optional.of(new Parameter(inLayer ? Integer.parseInt(matcher.group(1)) : -1, role));
            }
        }
        return Optional.empty();
    }

    private static String name(Role role) {
        return switch (role) {
            case EMBEDDING -> "token_embd.weight";
            case INPUT_NORM -> "attn_norm.weight";
            case QUERY -> "attn_q.weight";
            case KEY -> "attn_k.weight";
            case VALUE -> "attn_v.weight";
            case OUTPUT -> "attn_output.weight";
            case POST_ATTENTION_NORM -> "ffn_norm.weight";
            case GATE -> "ffn_gate.weight";
            case UP -> "ffn_up.weight";
            case DOWN -> "ffn_down.weight";
            case FINAL_NORM -> "output_norm.weight";
            case HEAD -> "output.weight";
        };
    }

    /** Whether the rows are in another order. */
    static boolean isPermuted(Role role) {
        return role == Role.QUERY || role == Role.KEY;
    }

    /** Where llama.cpp has a row of q or k. */
    static long rowInGguf(LlamaConfig config, long row) {
        int half = config.headSize() / 2;
        long inHead = row % config.headSize();
        return row - inHead + inHead % half * 2 + inHead / half;
    }

    /** Where Hugging Face has a row of q or k: the inverse of {@link #rowInGguf}. */
    static long rowInHuggingFace(LlamaConfig config, long row) {
        int half = config.headSize() / 2;
        long inHead = row % config.headSize();
        return row - inHead + inHead % 2 * half + inHead / 2;
    }
}
