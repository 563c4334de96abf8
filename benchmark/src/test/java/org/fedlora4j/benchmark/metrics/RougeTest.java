package org.fedlora4j.benchmark.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RougeTest {
    // The pairs' text is Dolly's, so it is not in this repository.
    @Tag("real")
    @ParameterizedTest
    @CsvSource({"plain, false", "stemmed, true"})
    void equalsRougeScore(String name, boolean stemming) throws IOException {
        JsonNode golden = new ObjectMapper()
                .readTree(Path.of(System.getProperty("fedlora.shared"), "golden/rouge/rouge-l.json")
                        .toFile());
        Rouge rouge = new Rouge(stemming);
        assertThat(golden.get("pairs")).hasSize(60).allSatisfy(pair -> {
            Rouge.Scores scores = rouge.score(
                    pair.get("reference").textValue(), pair.get("prediction").textValue());
            check(scores.rouge1(), pair.get(name).get("rouge1"));
            check(scores.rouge2(), pair.get(name).get("rouge2"));
            check(scores.rougeL(), pair.get(name).get("rougeL"));
        });
    }

    private static void check(Rouge.Score score, JsonNode wanted) {
        assertThat(score.precision()).isCloseTo(wanted.get("precision").doubleValue(), within(1e-9));
        assertThat(score.recall()).isCloseTo(wanted.get("recall").doubleValue(), within(1e-9));
        assertThat(score.f1()).isCloseTo(wanted.get("f1").doubleValue(), within(1e-9));
    }

    /** Porter's own examples, and NLTK's departures from them. */
    @ParameterizedTest
    @CsvSource({
        "caresses, caress",
        "ponies, poni",
        "ties, tie",
        "cats, cat",
        "agreed, agre",
        "feed, feed",
        "plastered, plaster",
        "bled, bled",
        "motoring, motor",
        "sing, sing",
        "conflated, conflat",
        "troubling, troubl",
        "sized, size",
        "hopping, hop",
        "falling, fall",
        "hissing, hiss",
        "failing, fail",
        "filing, file",
        "happy, happi",
        "enjoy, enjoy",
        "spy, spi",
        "relational, relat",
        "rational, ration",
        "digitizer, digit",
        "radically, radic",
        "hopefulness, hope",
        "sensibility, sensibl",
        "geology, geolog",
        "electrical, electr",
        "adoption, adopt",
        "region, region",
        "probate, probat",
        "rate, rate",
        "cease, ceas",
        "controlling, control",
        "roll, roll",
        "died, die",
        "tried, tri",
        "skies, sky",
        "dying, die",
        "news, news",
        "syzygy, syzygi",
        "generalizations, gener",
        "is, is",
        "owed, owe"
    })
    void stems(String word, String stem) {
        assertThat(PorterStemmer.stem(word)).isEqualTo(stem);
    }
}
