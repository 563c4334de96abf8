package org.fedlora4j.benchmark.speed.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.fedlora4j.benchmark.TinyModel;
import org.fedlora4j.model.weights.Checkpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TruncatedModelTest {
    @Test
    void hasTheFirstLayersAndTheEnds(@TempDir Path folder) throws IOException {
        Path whole = folder.resolve("whole");
        TinyModel.write(whole);
        TruncatedModel.write(whole, 1, folder.resolve("cut"));
        try (Checkpoint model = Checkpoint.open(whole);
                Checkpoint cut = Checkpoint.open(folder.resolve("cut"))) {
            assertThat(model.config().layers()).isEqualTo(2);
            assertThat(cut.config().layers()).isEqualTo(1);
            for (String name : new String[] {
                "model.embed_tokens.weight", "model.layers.0.mlp.down_proj.weight", "model.norm.weight"
            }) {
                assertThat(cut.floats(name)).isEqualTo(model.floats(name));
            }
        }
    }
}
