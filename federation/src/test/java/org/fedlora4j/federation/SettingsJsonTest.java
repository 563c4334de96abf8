package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.LoraConfig;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsJsonTest {
    /** With all that JSON could round or put in another order. */
    private static Federation.Settings settings() throws IOException {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        ranks.put("v_proj", 3);
        ranks.put("layers.0.*", 2);
        LoraConfig lora = new LoraConfig(
                4, 0.1, new LinkedHashSet<>(List.of("v_proj", "q_proj")), 0.3, true, ranks, Map.of("q_proj", 1e-17));
        return new Federation.Settings(
                lora, RecipeFile.load("fedlora-optimizer"), 3, 5, 7, 11, Long.MIN_VALUE + 1, 1.0 / 3);
    }

    @Test
    void isReadAsItWasWritten() throws IOException {
        Federation.Settings read = read(SettingsJson.toTree(settings()).toString());
        assertThat(read).isEqualTo(settings());
        assertThat(read.lora().rankPattern().keySet()).containsExactly("v_proj", "layers.0.*");
    }

    /** What anybody could have sent: a field of the object, other JSON in its place (none for nothing), and the problem. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '$', textBlock = """
                    rounds        |                        | rounds: missing, wanted a whole number
                    rounds        | -1                     | rounds: -1, wanted at least 0
                    rounds        | 1.5                    | rounds: 1.5, wanted a whole number
                    batch-size    | 4294967297             | batch-size: 4294967297, wanted a whole number
                    pad-id        | "0"                    | pad-id: "0", wanted a whole number
                    seed          | 1                      | seed: 1, wanted a text
                    seed          | "9223372036854775808"  | seed: '9223372036854775808', wanted a whole number
                    participation | "NaN"                  | participation: "NaN", wanted a number
                    participation | 0                      | participation: 0.0, wanted above 0 and at most 1
                    lora          | []                     | lora: [], wanted an object
                    lora          | {"targets": ["../x"]}  | lora.targets: '../x' names no linear projection
                    lora          | {"rank-pattern": {"q_proj": "8"}} | lora.rank-pattern.q_proj: "8", wanted a whole number
                    lora          | {"class": "java.lang.Runtime"} | lora.class: unknown, wanted some of
                    recipe        |                        | recipe: missing, wanted an object
                    recipe        | {"name": "x", "round": [{}]} | recipe.round[0].name: missing, wanted a text
                    run           | 1                      | run: unknown, wanted some of
                    """)
    void refuses(String field, @Nullable String value, String problem) throws IOException {
        ObjectNode tree = SettingsJson.toTree(settings());
        if (value == null) {
            tree.remove(field);
        } else {
            tree.putRawValue(field, new RawValue(value));
        }
        assertRefused(tree.toString(), problem);
    }

    @Test
    void refusesWhatIsNoObjectOfJson() {
        assertRefused("", "found missing, wanted an object");
        assertRefused("[]", "found [], wanted an object");
        assertRefused("{\"rounds\": ", "no JSON: Unexpected end-of-input");
        assertRefused("{\"recipe\": ".repeat(2_000), "no JSON: Document nesting depth");
    }

    @Test
    void namesAllProblemsAtOnce() throws IOException {
        ObjectNode tree = SettingsJson.toTree(settings());
        tree.put("batch-size", "many").remove("seed");
        assertRefused(tree.toString(), "batch-size: \"many\", wanted a whole number; seed: missing, wanted a text");
    }

    private static Federation.Settings read(String text) {
        return SettingsJson.read(text, "their settings", SettingsJson::settings);
    }

    private static void assertRefused(String text, String problem) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("their settings: ")
                .hasMessageContaining(problem);
    }
}
