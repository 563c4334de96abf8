package org.fedlora4j.benchmark.speed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.fedlora4j.benchmark.speed.InstructionBenchmark.Targets;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
    private static Arguments parse(String... arguments) {
        return Arguments.parse(arguments, List.of("MODEL", "BATCH"), Set.of("steps", "targets", "quick"));
    }

    @Test
    void findsArgumentsByPlaceAndOptionsByName() {
        Arguments arguments = parse("models/tiny", "--steps=3", "--quick", "4", "--targets=all");
        assertThat(arguments.path("MODEL")).isEqualTo(Path.of("models/tiny"));
        assertThat(arguments.number("BATCH")).isEqualTo(4);
        assertThat(arguments.number("steps", 12)).isEqualTo(3);
        assertThat(arguments.choice("targets", Targets.RESPONSES)).isEqualTo(Targets.ALL);
        assertThat(arguments.has("quick")).isTrue();
        assertThat(arguments).hasToString("models/tiny --steps=3 --quick 4 --targets=all");
    }

    @Test
    void hasDefaults() {
        Arguments arguments = parse("model", "1");
        assertThat(arguments.number("steps", 12)).isEqualTo(12);
        assertThat(arguments.text("steps", "some")).isEqualTo("some");
        assertThat(arguments.choice("targets", Targets.RESPONSES)).isEqualTo(Targets.RESPONSES);
        assertThat(arguments.has("quick")).isFalse();
    }

    @Test
    void namesWhatIsWrong() {
        assertThatThrownBy(() -> parse("model"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("found [model], wanted MODEL BATCH");
        assertThatThrownBy(() -> parse("model", "1", "--step=3"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("--step=3: no such option; there are --quick, --steps, --targets");
        assertThatThrownBy(() -> parse("model", "0").number("BATCH"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("BATCH: '0', wanted a whole number of at least 1");
        assertThatThrownBy(() -> parse("model", "1", "--steps=many").number("steps", 12))
                .isInstanceOf(BadInputException.class)
                .hasMessage("--steps: 'many', wanted a whole number of at least 1");
        assertThatThrownBy(() -> parse("model", "1", "--targets=none").choice("targets", Targets.ALL))
                .isInstanceOf(BadInputException.class)
                .hasMessage("--targets: none, wanted one of [responses, all]");
    }
}
