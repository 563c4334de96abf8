package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.SafetensorsFile;
import org.fedlora4j.model.weights.SafetensorsWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MergeCommandTest {
    private static final Path TOY = Path.of(System.getProperty("fedlora.golden"), "toy", "gqa-tied-bf16");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    /** The reference was made by transformers and PEFT with the adapter beside the model. */
    @Test
    void theMergedModelComputesWhatTheAdaptedOneDoes() throws IOException {
        Path merged = folder.resolve("merged");
        Cli made = Cli.run("merge", TOY, TOY.resolve("adapter"), merged, "--dtype", "f32");
        assertThat(made.code()).as(made.err()).isZero();
        assertThat(made.out()).contains("merged: 29 tensors", "F32");
        Cli verified = Cli.run("verify", merged, "--reference", withoutGradients("adapter-reference.safetensors"));
        assertThat(verified.code()).as(verified.out() + verified.err()).isZero();
        assertThat(verified.out()).contains("logits", "loss", "all 2 within");
    }

    @Test
    void weightsKeepTheirTypeUnlessAskedOtherwise() throws IOException {
        Path merged = folder.resolve("merged");
        assertThat(Cli.run("merge", TOY, TOY.resolve("adapter"), merged).code()).isZero();
        try (Checkpoint checkpoint = Checkpoint.open(merged)) {
            assertThat(checkpoint.type("model.layers.0.self_attn.q_proj.weight"))
                    .isEqualTo(ElementType.BF16);
        }
    }

    private Path withoutGradients(String name) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        try (SafetensorsFile reference = SafetensorsFile.open(TOY.resolve(name))) {
            for (String tensor : List.of("logits", "loss")) {
                writer.floats(tensor, reference.tensor(tensor).shape(), reference.floats(tensor));
            }
            for (String tensor : List.of("input_ids", "attention_mask", "labels")) {
                long[] values = reference.longs(tensor);
                ByteBuffer bytes =
                        ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asLongBuffer().put(values);
                writer.tensor(
                        tensor, ElementType.I64, reference.tensor(tensor).shape(), out -> out.write(bytes.array()));
            }
        }
        Path file = folder.resolve("reference.safetensors");
        writer.write(file);
        return file;
    }
}
