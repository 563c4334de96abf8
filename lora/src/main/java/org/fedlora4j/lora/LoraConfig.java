package org.fedlora4j.lora;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.fedlora4j.common.BadInputException;

/**
 * The settings of an adapter, with PEFT's meaning (LoraConfig of peft 0.21).
 *
 * <p>A module is named by its Hugging Face path: {@code model.layers.0.self_attn.q_proj}. The keys of the patterns are
 * regular expressions for the end of a path, after a dot or from its start; the first key that matches holds.
 *
 * @param rank r of the modules that no rank pattern names
 * @param alpha of the modules that no alpha pattern names; the scale is alpha / r
 * @param targets names out of {@link #PROJECTIONS}; kept in that order
 * @param dropout the probability of dropping an input of A in training, in [0, 1)
 * @param rsLora scale by alpha / sqrt(r) instead (arXiv 2312.03732)
 * @param rankPattern module pattern to rank
 * @param alphaPattern module pattern to alpha
 */
public record LoraConfig(
        int rank,
        double alpha,
        Set<String> targets,
        double dropout,
        boolean rsLora,
        Map<String, Integer> rankPattern,
        Map<String, Double> alphaPattern) {

    /** The linear projections of a decoder layer, in graph order. */
    public static final List<String> PROJECTIONS =
            List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

    private static final Set<String> FEED_FORWARD = Set.of("gate_proj", "up_proj", "down_proj");

    public LoraConfig {
        requireRank("rank", rank);
        requireAlpha("alpha", alpha);
        targets = inGraphOrder(targets);
        if (!(dropout >= 0 && dropout < 1)) {
            throw new BadInputException("lora.dropout: " + dropout + ", wanted at least 0 and below 1");
        }
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
        rankPattern.forEach((key, value) -> requireRank("rankPattern." + key, value));
        alphaPattern.forEach((key, value) -> requireAlpha("alphaPattern." + key, value));
        rankPattern.keySet().forEach(ModulePattern::new);
        alphaPattern.keySet().forEach(ModulePattern::new);
    }

    /** Without dropout, rsLoRA and patterns. */
    public static LoraConfig of(int rank, double alpha, String... targets) {
        return new LoraConfig(rank, alpha, new LinkedHashSet<>(List.of(targets)), 0, false, Map.of(), Map.of());
    }

    /** The paths of the adapted modules of a model with so many layers, in graph order. */
    public List<String> modules(int layers) {
        List<String> modules = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            for (String target : targets) {
                modules.add(path(layer, target));
            }
        }
        return modules;
    }

    /** The path of a projection, such as {@code model.layers.0.self_attn.q_proj}. */
    public static String path(int layer, String projection) {
        String block = FEED_FORWARD.contains(projection) ? "mlp" : "self_attn";
        return "model.layers." + layer + "." + block + "." + projection;
    }

    public int rank(String module) {
        return lookUp(rankPattern, module, rank);
    }

    public double alpha(String module) {
        return lookUp(alphaPattern, module, alpha);
    }

    /** What B · A is multiplied by: alpha / r, with rsLoRA alpha / sqrt(r). */
    public double scale(String module) {
        int r = rank(module);
        return alpha(module) / (rsLora ? Math.sqrt(r) : r);
    }

    /** Refuses a pattern that names none of the modules: a misspelt key must not go unnoticed. */
    void requirePatternsMatch(Collection<String> modules) {
        List<String> keys = new ArrayList<>(rankPattern.keySet());
        keys.addAll(alphaPattern.keySet());
        for (String key : keys) {
            ModulePattern pattern = new ModulePattern(key);
            if (modules.stream().noneMatch(pattern::matches)) {
                throw new BadInputException("lora: the pattern '" + key + "' matches no adapted module; these are "
                        + targets + " of each layer, such as "
                        + modules.iterator().next());
            }
        }
    }

    /** PEFT's get_pattern_key: the value of the first key that matches. */
    private static <T> T lookUp(Map<String, T> patterns, String module, T otherwise) {
        for (Map.Entry<String, T> entry : patterns.entrySet()) {
            if (new ModulePattern(entry.getKey()).matches(module)) {
                return entry.getValue();
            }
        }
        return otherwise;
    }

    private static Set<String> inGraphOrder(Set<String> targets) {
        for (String target : targets) {
            if (!PROJECTIONS.contains(target)) {
                throw new BadInputException(
                        "lora.targets: '" + target + "' names no linear projection, wanted some of " + PROJECTIONS);
            }
        }
        Set<String> ordered = new LinkedHashSet<>(PROJECTIONS);
        ordered.retainAll(targets);
        if (ordered.isEmpty()) {
            throw new BadInputException("lora.targets: empty, wanted at least one of " + PROJECTIONS);
        }
        return Collections.unmodifiableSet(ordered);
    }

    private static void requireRank(String field, int rank) {
        if (rank < 1) {
            throw new BadInputException("lora." + field + ": " + rank + ", wanted at least 1");
        }
    }

    private static void requireAlpha(String field, double alpha) {
        if (!(alpha > 0 && Double.isFinite(alpha))) {
            throw new BadInputException("lora." + field + ": " + alpha + ", wanted a number above 0");
        }
    }
}
