package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The table of the largest differences from the reference, by case: checked one by one, printed and written to {@code
 * target/parity.txt} when all tests have run.
 */
final class ParityReport implements BeforeAllCallback {
    /** A column of the table. */
    enum Quantity {
        LOGITS("logits"),
        LOSS("loss"),
        HIDDEN("hidden*"),
        GRADIENTS("gradients*"),
        GRADIENT_NORM("norm*"),
        WEIGHTS("weights"),
        OTHER_IDS("other ids");

        private final String title;

        Quantity(String title) {
            this.title = title;
        }
    }

    private static final Path FILE = Path.of("target", "parity.txt");
    private static final Map<String, Map<Quantity, Double>> TABLE = new TreeMap<>();

    /** Notes a difference, and fails if it is beyond its tolerance. */
    static void check(String testCase, Quantity quantity, double difference, double tolerance) {
        TABLE.computeIfAbsent(testCase, key -> new EnumMap<>(Quantity.class)).merge(quantity, difference, Math::max);
        assertThat(difference).as("%s of %s", quantity.title, testCase).isLessThanOrEqualTo(tolerance);
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        AutoCloseable whenAllTestsHaveRun = ParityReport::write;
        context.getRoot()
                .getStore(ExtensionContext.Namespace.GLOBAL)
                .getOrComputeIfAbsent(ParityReport.class, key -> whenAllTestsHaveRun);
    }

    private static void write() throws IOException {
        StringBuilder text = new StringBuilder("Largest difference from PyTorch, transformers and PEFT in f32\n");
        text.append(
                "(* relative: to the tensor's largest value; smollm2's gradients and weights in L2 norm; in bf16 all,");
        text.append(" and gradients in L2 norm)\n");
        text.append(String.format("%-44s", "case"));
        for (Quantity quantity : Quantity.values()) {
            text.append(String.format("%12s", quantity.title));
        }
        TABLE.forEach((testCase, differences) -> {
            text.append(String.format("%n%-44s", testCase));
            for (Quantity quantity : Quantity.values()) {
                Double difference = differences.get(quantity);
                text.append(difference == null ? " ".repeat(12) : String.format(Locale.ROOT, "%12.1e", difference));
            }
        });
        Files.writeString(FILE, text + "\n");
        System.out.println(text);
    }
}
