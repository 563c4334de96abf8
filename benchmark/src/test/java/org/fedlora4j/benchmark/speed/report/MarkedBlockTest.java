package org.fedlora4j.benchmark.speed.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MarkedBlockTest {
    private static final String DOCUMENT = """
            # Title
            <!-- other:begin -->
            other
            <!-- other:end -->
            <!-- speed:begin -->
            old
            and older
            <!-- speed:end -->
            the end
            """;

    private final MarkedBlock block = new MarkedBlock(Path.of("README.md"), "speed");

    @Test
    void replacesWhatIsBetweenTheMarkersAndNothingElse() {
        String filled = block.filled(DOCUMENT, "\nnew $1 \\ text\n");
        assertThat(filled).isEqualTo(DOCUMENT.replace("old\nand older", "new $1 \\ text"));
        assertThat(block.filled(filled, "new $1 \\ text")).isEqualTo(filled);
    }

    @Test
    void namesTheMarkersThatAreMissing() {
        for (String document :
                new String[] {"", DOCUMENT.replace("<!-- speed:end -->", ""), "<!-- speed:end --> <!-- speed:begin -->"
                }) {
            assertThatThrownBy(() -> block.filled(document, "new"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("README.md: found no block, wanted a line <!-- speed:begin --> and later"
                            + " <!-- speed:end -->");
        }
    }

    @Test
    void fillsAFile(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("README.md"), DOCUMENT);
        new MarkedBlock(file, "speed").fill("new");
        assertThat(file).content().contains("<!-- speed:begin -->\nnew\n<!-- speed:end -->");
    }

    /** The commands' own. */
    @Test
    void theDocumentsHaveThePlacesThatCommandsFill() throws IOException {
        for (MarkedBlock place : new MarkedBlock[] {
            MarkedBlock.inReadme("speed"),
            MarkedBlock.inReadme("generation"),
            MarkedBlock.inPerformance("instructions"),
            MarkedBlock.inPerformance("recomputation"),
            MarkedBlock.inPerformance("growth")
        }) {
            place.requireThere();
        }
    }
}
