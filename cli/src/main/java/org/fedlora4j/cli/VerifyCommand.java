package org.fedlora4j.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.fedlora4j.benchmark.verify.Comparison;
import org.fedlora4j.benchmark.verify.ReferenceFile;
import org.fedlora4j.benchmark.verify.Tolerance;
import org.fedlora4j.benchmark.verify.Verification;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.Checksum;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.exec.Precision;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares what a model computes with what another implementation made of the same batch. */
@Command(
        name = "verify",
        description = {
            "Compare a model's logits, loss, hidden states and gradients with a reference.",
            "Exit code 0: all within the tolerance; 1: not, and the worst is named."
        },
        footer = {
            "",
            "Example:",
            "  ./fedlora verify models/smollm2 --reference ../shared/golden/smollm2/sft.safetensors"
        })
final class VerifyCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "A model that convert made, or any that it takes.")
    private Path source;

    @Option(
            names = "--reference",
            paramLabel = "FILE",
            description = "safetensors with input_ids, attention_mask and labels [B, T], and what to compare: logits "
                    + "[B, T, V], loss, hidden.N, grad.NAME.")
    private @Nullable Path reference;

    @Option(
            names = "--checksum",
            description = "Check that the weights are, bit for bit, those that convert wrote; with --reference or "
                    + "without.")
    private boolean checksum;

    @Option(names = "--adapter", paramLabel = "DIR", description = "A PEFT adapter that the reference was made with.")
    private @Nullable Path adapter;

    @Option(
            names = "--precision",
            paramLabel = "P",
            defaultValue = "f32",
            description = "What products multiply: f32, bf16, f16 (on a GPU), or auto, the faster here (default: "
                    + "${DEFAULT-VALUE}).")
    private String precision;

    @Option(
            names = "--tolerance",
            paramLabel = "T",
            description =
                    "Largest difference allowed, as a part of the tensor's largest value (default: 4e-4 in f32; 5e-2 in "
                            + "bf16, for gradients 2.5e-1).")
    private @Nullable Double tolerance;

    @Option(names = "--padding", description = "Compare padded positions too.")
    private boolean padding;

    @Option(names = "--json", description = "Print the differences as JSON.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        if (tolerance != null && !(tolerance >= 0 && Double.isFinite(tolerance))) {
            throw new BadInputException("--tolerance: " + tolerance + ", wanted a number of at least 0");
        }
        Precision chosen = Precision.choose(precision).precision();
        if (reference == null && !checksum) {
            throw new BadInputException("verify: neither --reference nor --checksum; wanted what to compare with");
        }
        boolean same = !checksum || isAsWritten();
        return (reference == null || isEqual(reference, chosen)) && same ? 0 : Main.OUR_FAILURE;
    }

    private boolean isAsWritten() throws IOException {
        Checksum found = Checksum.of(source, Progress.onStderr());
        spec.commandLine()
                .getOut()
                .println(
                        found.isSame()
                                ? "sha256 " + found.found() + ", as it was written"
                                : "sha256 is " + found.found() + "; fedlora.json has " + found.recorded());
        return found.isSame();
    }

    private boolean isEqual(Path referenceFile, Precision chosen) throws IOException {
        Tolerance allowed = tolerance == null ? Tolerance.of(chosen) : new Tolerance(tolerance, tolerance);
        List<Comparison> comparisons = compare(referenceFile, chosen);
        Comparison worst = comparisons.stream()
                .max(Comparator.comparingDouble(comparison -> comparison.ofTolerance(allowed)))
                .orElseThrow();
        boolean equal = worst.ofTolerance(allowed) <= 1;
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(toJson(comparisons, chosen, allowed, equal).toPrettyString());
        } else {
            print(comparisons, out);
            out.printf("%s: ", chosen);
            if (equal) {
                out.printf("all %d within %s%n", comparisons.size(), allowed);
            } else {
                out.printf(
                        Locale.ROOT,
                        "not within %s: %s differs by %.1e of its largest value%n",
                        allowed,
                        worst.name(),
                        worst.ofLargest());
            }
        }
        out.flush();
        return equal;
    }

    private List<Comparison> compare(Path referenceFile, Precision chosen) throws IOException {
        try (ReferenceFile file = new ReferenceFile(referenceFile);
                ReadableModel readable = ReadableModel.of(source, Progress.onStderr());
                LanguageModel model =
                        LanguageModel.open(readable.folder(), LanguageModel.Settings.DEFAULT.withPrecision(chosen))) {
            Optional<AdapterState> state =
                    adapter == null ? Optional.empty() : Optional.of(PeftAdapter.read(adapter, model.config()));
            return Verification.run(model, state, file, padding);
        }
    }

    private static void print(List<Comparison> comparisons, PrintWriter out) {
        int width = comparisons.stream()
                .mapToInt(comparison -> comparison.name().length())
                .max()
                .orElse(0);
        out.printf("%-" + width + "s  %10s  %10s%n", "tensor", "difference", "of largest");
        for (Comparison comparison : comparisons) {
            out.printf(
                    Locale.ROOT,
                    "%-" + width + "s  %10.1e  %10.1e%n",
                    comparison.name(),
                    comparison.absolute(),
                    comparison.ofLargest());
        }
    }

    private static ObjectNode toJson(List<Comparison> comparisons, Precision chosen, Tolerance allowed, boolean equal) {
        ObjectNode tree = JsonNodeFactory.instance.objectNode();
        tree.put("equal", equal).put("precision", chosen.toString());
        ObjectNode tensors = tree.putObject("tensors");
        for (Comparison comparison : comparisons) {
            tensors.putObject(comparison.name())
                    .put("difference", comparison.absolute())
                    .put("ofLargest", comparison.ofLargest())
                    .put("tolerance", allowed.of(comparison));
        }
        return tree;
    }
}
