package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.model.exec.Precision;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is compared, and how, is tested where it is done. */
class VerifyCommandTest {
    private static final Path TOY = Path.of(System.getProperty("fedlora.golden"), "toy", "gqa-tied-bf16");
    private static final Path REFERENCE = TOY.resolve("reference.safetensors");
    private static final Path ADAPTER_REFERENCE = TOY.resolve("adapter-reference.safetensors");

    @Test
    void anEqualModelIsCode0() {
        Cli verified = Cli.run("verify", TOY, "--reference", REFERENCE, "--padding");
        assertThat(verified.code()).as(verified.err()).isZero();
        assertThat(verified.out().lines())
                .hasSize(9)
                .anyMatch(line -> line.matches("logits +[0-9]\\.[0-9]e-0[4-9] +[0-9]\\.[0-9]e-0[5-9]"))
                .endsWith("f32: all 7 within 4.0e-04");
        assertThat(verified.err()).isEmpty();
    }

    @Test
    void anAdapterIsApplied() {
        assertThat(Cli.run("verify", TOY, "--reference", ADAPTER_REFERENCE, "--adapter", TOY.resolve("adapter"))
                        .code())
                .isZero();
    }

    @Test
    void aDifferenceIsCode1AndNamesTheWorst() {
        Cli verified = Cli.run("verify", TOY, "--reference", REFERENCE, "--tolerance", "1e-12");
        assertThat(verified.code()).isEqualTo(1);
        assertThat(verified.out().lines().toList())
                .last()
                .asString()
                .matches("f32: not within 1\\.0e-12: (logits|hidden\\.[a-z0-9]+) differs by .* of its largest value");
        assertThat(verified.err()).isEmpty();
    }

    @Test
    void differencesAreDataOnRequest() throws IOException {
        Cli verified = Cli.run("verify", TOY, "--reference", REFERENCE, "--json");
        JsonNode json = new ObjectMapper().readTree(verified.out());
        assertThat(json.get("equal").asBoolean()).isTrue();
        assertThat(json.at("/tensors/logits/difference").asDouble()).isPositive();
        assertThat(json.at("/tensors/logits/ofLargest").asDouble()).isBetween(1e-9, 4e-4);
    }

    /** The reference is of float32, so its tolerances are wide; where there is no bf16, that is said. */
    @Test
    void bf16IsToBeAskedFor() {
        Precision.Choice fastest = Precision.choose("auto");
        if (fastest.precision() == Precision.F32) {
            assertRefused(
                    "precision: bf16 can't be had here: " + fastest.reason() + "; wanted auto or f32",
                    "verify",
                    TOY,
                    "--reference",
                    REFERENCE,
                    "--precision",
                    "bf16");
            return;
        }
        Cli verified = Cli.run("verify", TOY, "--reference", REFERENCE, "--precision", "bf16");
        assertThat(verified.code()).as(verified.out()).isZero();
        // In float32 it is below 1e-4.
        assertThat(verified.out().lines())
                .anyMatch(line -> line.matches("logits +[0-9]\\.[0-9]e-0[0-9] +[0-9]\\.[0-9]e-0[23]"))
                .endsWith("bf16: all 7 within 5.0e-02, gradients within 2.5e-01");
    }

    @Test
    void aModelInPyTorchsFilesIsVerifiedAsItIs() {
        Path toy = TOY.resolveSibling("mqa-f16");
        assertThat(Cli.run("verify", toy, "--reference", toy.resolve("reference.safetensors"))
                        .code())
                .isZero();
    }

    @Test
    void weightsThatChangedAreFound(@TempDir Path folder) throws IOException {
        Path model = folder.resolve("model");
        Cli.run("convert", TOY, model);
        Cli same = Cli.run("verify", model, "--checksum", "--reference", REFERENCE);
        assertThat(same.code()).isZero();
        assertThat(same.out()).contains("as it was written", "all 7 within");

        byte[] weights = Files.readAllBytes(model.resolve("model.safetensors"));
        weights[weights.length - 1] ^= 1;
        Files.write(model.resolve("model.safetensors"), weights);
        Cli changed = Cli.run("verify", model, "--checksum");
        assertThat(changed.code()).isEqualTo(1);
        assertThat(changed.out()).contains("fedlora.json has ");
        assertRefused("no fedlora.json", "verify", TOY, "--checksum");
    }

    @Test
    void badArgumentsAreCode2() {
        assertRefused("--reference", "verify", TOY);
        assertRefused("--tolerance: NaN", "verify", TOY, "--reference", REFERENCE, "--tolerance", "NaN");
        assertRefused(
                "precision: found fp8, wanted auto, f32, bf16 or f16",
                "verify",
                TOY,
                "--reference",
                REFERENCE,
                "--precision",
                "fp8");
        assertRefused("no-such-model", "verify", TOY.resolve("no-such-model"), "--reference", REFERENCE);
        assertRefused("adapter_config.json: no such file", "verify", TOY, "--reference", REFERENCE, "--adapter", TOY);
        // Gradients by an adapter's matrices, and no adapter.
        assertRefused("lora_A.weight is unknown", "verify", TOY, "--reference", ADAPTER_REFERENCE);
    }

    private static void assertRefused(String message, Object... arguments) {
        Cli refused = Cli.run(arguments);
        assertThat(refused.code()).isEqualTo(2);
        assertThat(refused.err().lines()).singleElement().asString().contains(message);
        assertThat(refused.out()).isEmpty();
    }
}
