package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.lora.LoraConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerSettingsTest {
    private static final String SHORTEST = "model: 'm', output: 'o', clients: ['b', 'a'], plaintext: true";

    @Test
    void hasDefaults() throws Exception {
        ServerSettings settings = read(SHORTEST);
        assertThat(settings.model()).isEqualTo(Path.of("m"));
        assertThat(settings.run())
                .isEqualTo(new Federation.Settings(
                        LoraConfig.of(8, 16, "q_proj", "v_proj"), RecipeFile.load("fedlora-optimizer"), 6, 2, 8, 0, 1));
        assertThat(settings.clients())
                .isEqualTo(new GrpcEngine.Settings(
                        new TreeSet<>(List.of("a", "b")), 2, Duration.ofMinutes(30), Duration.ofDays(1), 10));
        assertThat(settings.endpoint()).isEqualTo(new Endpoint("127.0.0.1", 7443, new Security.Plaintext("")));
        assertThat(settings.status().map(Endpoint::toString)).contains("127.0.0.1:7480");
        assertThat(settings.template()).isEqualTo("alpaca");
        assertThat(settings.maxTokens()).isEqualTo(256);
    }

    @Test
    void readsAll() throws Exception {
        ServerSettings settings = read(SHORTEST
                + ", 'min-clients': 1, 'round-timeout': 5, 'phase-timeout': 6, 'norm-bound': 0.5, listen: '[::1]:1', status: 'none'"
                + ", template: 'short', 'max-tokens': 99, recipe: 'fedsa-lora', rounds: 3, participation: 0.5"
                + ", 'batch-size': 4, 'batch-window': 1, seed: 7"
                + ", lora: {rank: 4, alpha: 2, targets: ['o_proj'], dropout: 0.1, 'rs-lora': true}");
        assertThat(settings.run().recipe().name()).isEqualTo("fedsa-lora");
        assertThat(settings.run().lora().targets()).isEqualTo(Set.of("o_proj"));
        assertThat(settings.run().lora().rsLora()).isTrue();
        assertThat(settings.run().rounds()).isEqualTo(3);
        assertThat(settings.run().participation()).isEqualTo(0.5);
        assertThat(settings.run().seed()).isEqualTo(7);
        assertThat(settings.clients().minClients()).isEqualTo(1);
        assertThat(settings.clients().roundTimeout()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.clients().phaseTimeout()).isEqualTo(Duration.ofSeconds(6));
        assertThat(settings.clients().normBound()).isEqualTo(0.5);
        assertThat(settings.endpoint().host()).isEqualTo("::1");
        assertThat(settings.status()).isEqualTo(Optional.empty());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
                    clients: []           | clients: empty, wanted at least one
                    clients: 'a'          | clients: "a", wanted a list
                    'min-clients': 3      | min-clients: 3, wanted 1 to the number of clients, 2
                    'round-timeout': 0    | round-timeout: 0, wanted above 0
                    'phase-timeout': -1   | phase-timeout: -1, wanted above 0
                    'norm-bound': 0       | norm-bound: 0.0, wanted above 0
                    listen: 'here'        | 'here', wanted HOST:PORT
                    listen: 'a:99999'     | port: 99999, wanted 0 to 65535
                    template: 'long'      | template: long, wanted one of [alpaca, short]
                    rounds: -1            | rounds: -1, wanted at least 0
                    lora: {rank: 0}       | lora.rank: 0, wanted at least 1
                    participation: 2      | participation: 2.0, wanted above 0 and at most 1
                    plaintext: false      | tls: missing, wanted an object
                    epochs: 3             | epochs: unknown
                    """)
    void refuses(String setting, String problem) {
        assertThatThrownBy(() -> read(SHORTEST + ", " + setting))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("server.yaml: ")
                .hasMessageContaining(problem);
    }

    /** The table of the document has every key, and no other; only one of tls and plaintext is asked for at a time. */
    @Test
    void theDocumentNamesEveryKey() throws Exception {
        String document = Files.readString(Path.of("../docs/federation.md"));
        String table = document.substring(document.indexOf("## The server"), document.indexOf("## A client"));
        Set<String> documented = new TreeSet<>();
        Matcher row = Pattern.compile("(?m)^\\| (`[a-z`, -]+`) \\| [^|]+ \\| [^|]+ \\|$")
                .matcher(table);
        while (row.find()) {
            documented.addAll(List.of(row.group(1).replace("`", "").split(", ")));
        }
        documented.removeAll(List.of("tls", "run-id"));
        String message = String.valueOf(
                catchThrowable(() -> read(SHORTEST + ", epochs: 3")).getMessage());
        String known = message.substring(message.indexOf("wanted some of [") + 16, message.lastIndexOf(']'));
        assertThat(documented).isEqualTo(new TreeSet<>(List.of(known.split(", "))));
    }

    @Test
    void aPooledRecipeIsNoFederation() throws Exception {
        Federation.Settings settings =
                read(SHORTEST + ", recipe: 'centralized'").run();
        assertThatThrownBy(() -> new RunOffer("0123456789", settings, "alpaca", 256))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("centralized is pooled");
    }

    @Test
    void aMissingFileOfTlsIsNamed() {
        assertThatThrownBy(() -> read("model: 'm', output: 'o', clients: ['a'], tls: {authority: 'no.pem',"
                        + " certificate: 'c.pem', key: 'k'}"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("tls.no.pem: no such file; wanted the authority's certificate in PEM");
    }

    /** Keys without quotes, as in YAML; a setting that comes twice counts as the last. */
    private static ServerSettings read(String text) throws Exception {
        JsonNode tree = JsonMapper.builder()
                .enable(JsonReadFeature.ALLOW_UNQUOTED_FIELD_NAMES, JsonReadFeature.ALLOW_SINGLE_QUOTES)
                .build()
                .readTree("{" + text + "}");
        return ServerSettings.fromTree(tree, "server.yaml", new TreeSet<>(Set.of("alpaca", "short")));
    }
}
