package org.fedlora4j.benchmark.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExactMatchTest {
    @ParameterizedTest
    @CsvSource({
        "D., d, true",
        "'not plausible', ' Not\u00a0 plausible!', true",
        "'a b', 'ab', false",
        "plausible, 'not plausible', false",
        "Zürich, ZÜRICH, true",
        "'', '.', true",
        "the cat, cat, false"
    })
    void ignoresCasePunctuationAndAmountOfSpace(String reference, String prediction, boolean matches) {
        assertThat(ExactMatch.matches(reference, prediction)).isEqualTo(matches);
    }
}
