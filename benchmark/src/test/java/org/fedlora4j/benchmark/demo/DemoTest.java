package org.fedlora4j.benchmark.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.fedlora4j.common.Progress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoTest {
    @TempDir
    private Path folder;

    @Test
    void sharingHelpsTheGlobalModelAndMagnitudesTheLocalOnes() throws IOException {
        StringWriter story = new StringWriter();
        new Demo(folder, List.of("rounds=1"), new PrintWriter(story), Progress.none()).run();

        JsonNode together = scores("together");
        JsonNode alone = scores("alone").get("local");
        double base = together.at("/base/loss").doubleValue();
        double global = together.at("/global/loss").doubleValue();
        double local = together.at("/local/loss").doubleValue();
        assertThat(global).isLessThan(base / 2);
        assertThat(local).isLessThan(global).isLessThan(alone.get("loss").doubleValue());
        assertThat(together.at("/local/exactMatch").doubleValue())
                .isGreaterThan(together.at("/global/exactMatch").doubleValue() + 0.1)
                .isGreaterThan(alone.get("exactMatch").doubleValue() + 0.1);
        assertThat(story.toString())
                .contains("pirate   arr")
                .contains(String.format(Locale.ROOT, "the loss of the base is %.2f", base))
                .contains(String.format(Locale.ROOT, "a client's loss is %.2f", local));
    }

    private JsonNode scores(String run) throws IOException {
        return new ObjectMapper()
                .readTree(folder.resolve(run).resolve("result.json").toFile())
                .get("scores");
    }
}
