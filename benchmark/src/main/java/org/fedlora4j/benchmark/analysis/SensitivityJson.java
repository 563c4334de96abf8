package org.fedlora4j.benchmark.analysis;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.Locale;
import org.fedlora4j.federation.Sensitivity;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Part;

/** An analysis as JSON: {@code analysis.json}, as docs/experiments.md describes it. */
public final class SensitivityJson {
    private SensitivityJson() {}

    /** An undefined ratio is null, and {@code undefined} says why. */
    public static ObjectNode tree(SensitivityAnalysis analysis) {
        ObjectNode tree = JsonNodeFactory.instance.objectNode();
        tree.put("run", analysis.run().toString());
        tree.put("recipe", analysis.recipe().name());
        tree.put("magnitudeAxis", lowerCase(analysis.recipe().magnitudeAxis()));
        addAll(tree.putArray("privateParts"), analysis.recipe().privateParts());
        addAll(tree.putArray("sameByRecipe"), analysis.sameByRecipe());
        tree.put("from", analysis.from().toString());
        analysis.clients().forEach(tree.putArray("clients")::add);
        tree.putObject("authors")
                .put("direction", Movement.AUTHORS_DIRECTION)
                .put("magnitude", Movement.AUTHORS_MAGNITUDE);
        ArrayNode comparisons = tree.putArray("comparisons");
        for (Comparison comparison : analysis.comparisons()) {
            ObjectNode node = comparisons.addObject().put("compared", comparison.name());
            for (MagnitudeAxis axis : MagnitudeAxis.values()) {
                write(comparison, axis, node.putObject(lowerCase(axis)));
            }
        }
        return tree;
    }

    private static void write(Comparison comparison, MagnitudeAxis axis, ObjectNode node) {
        write(comparison.all(axis), node.putObject("all"));
        ObjectNode targets = node.putObject("targets");
        comparison.targets(axis).forEach((target, moved) -> write(moved, targets.putObject(target)));
        ArrayNode layers = node.putArray("layers");
        comparison
                .layers(axis)
                .forEach((layer, moved) -> write(moved, layers.addObject().put("layer", layer)));
        ArrayNode pairs = node.putArray("pairs");
        for (AdapterDifference pair : comparison.pairs()) {
            write(
                    Movement.over(pair.along(axis).values()),
                    pairs.addObject().put("from", pair.from()).put("to", pair.to()));
        }
    }

    private static void write(Movement moved, ObjectNode node) {
        write(moved.a(), node.putObject("A"));
        write(moved.b(), node.putObject("B"));
        ObjectNode ratios = node.putObject("ratios");
        ObjectNode undefined = node.objectNode();
        write("direction", moved.direction(), ratios, undefined);
        write("magnitude", moved.magnitude(), ratios, undefined);
        write("relativeMagnitude", moved.relativeMagnitude(), ratios, undefined);
        if (!undefined.isEmpty()) {
            node.set("undefined", undefined);
        }
    }

    private static void write(Sensitivity moved, ObjectNode node) {
        node.put("direction", moved.direction());
        node.put("magnitude", moved.magnitude());
        node.put("relativeMagnitude", moved.relativeMagnitude());
        node.put("vectors", moved.vectors());
    }

    private static void write(String name, Ratio ratio, ObjectNode ratios, ObjectNode undefined) {
        ratios.put(name, ratio.value());
        if (ratio.value() == null) {
            undefined.put(name, ratio.undefined());
        }
    }

    private static void addAll(ArrayNode array, Collection<Part> parts) {
        parts.forEach(part -> array.add(part.toString()));
    }

    private static String lowerCase(MagnitudeAxis axis) {
        return axis.name().toLowerCase(Locale.ROOT);
    }
}
