package org.fedlora4j.benchmark.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Score;
import org.fedlora4j.tokenizer.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoModelTest {
    @TempDir
    private Path folder;

    @Test
    void isSmallAndAnswersWhatItWasNotTrainedOn() throws IOException {
        Path unpacked = folder.resolve("model");
        DemoModel.unpack(unpacked);
        assertThat(Files.size(unpacked.resolve("model.safetensors"))).isLessThan(2_000_000);
        try (LanguageModel model = LanguageModel.open(unpacked);
                Tokenizer tokenizer = Tokenizer.open(unpacked)) {
            Score score = PretrainDemoModel.heldOutScore(model, tokenizer);
            // The questions leave nothing open, so a model that knows its text has a loss near 0; guessing bytes, 5.5.
            assertThat(score.targets()).isGreaterThan(300);
            assertThat(score.meanLoss()).isLessThan(0.05);
            assertThat(score.accuracy()).isGreaterThan(0.99);
        }
    }
}
