package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StateFolderTest {
    private static final SharedParts SHARED = Adapters.random(new Random(8), MagnitudeAxis.ROW);

    @TempDir
    Path path;

    private final List<String> warnings = new ArrayList<>();
    private StateFolder folder;

    @BeforeEach
    void open() {
        folder = new StateFolder(path.resolve("state"));
    }

    @Test
    void loadsWhatWasSaved() throws IOException {
        assertThat(load()).isEmpty();
        folder.save(state(3));

        assertThat(load()).contains(state(3));
        assertThat(warnings).isEmpty();
    }

    @Test
    void keepsTheLatestTwo() throws IOException {
        for (int stages = 1; stages <= 4; stages++) {
            folder.save(state(stages));
        }
        assertThat(names()).containsExactly("000003", "000004");
        assertThat(load()).contains(state(4));
    }

    @Test
    void halfWrittenOnesAreIgnoredAndGoWithTheNext() throws IOException {
        folder.save(state(1));
        Files.createDirectory(path.resolve("state/.000002.77.tmp"));
        assertThat(load()).contains(state(1));

        folder.save(state(2));
        assertThat(names()).containsExactly("000001", "000002");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"state.json", "shared.safetensors", "client-0.safetensors", "server-0.safetensors", "SHA256SUMS"
            })
    void aChangedFileFallsBack(String file) throws IOException {
        folder.save(state(1));
        folder.save(state(2));
        Path damaged = path.resolve("state/000002").resolve(file);
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[bytes.length / 2] ^= 1;
        Files.write(damaged, bytes);

        assertThat(load()).contains(state(1));
        assertThat(warnings).singleElement().asString().contains("000002: damaged");
    }

    @ParameterizedTest
    @ValueSource(strings = {"state.json", "client-0.safetensors", "SHA256SUMS"})
    void aMissingFileFallsBack(String file) throws IOException {
        folder.save(state(1));
        folder.save(state(2));
        Files.delete(path.resolve("state/000002").resolve(file));

        assertThat(load()).contains(state(1));
        assertThat(warnings).singleElement().asString().contains("000002: damaged");
    }

    /** After a fall-back the damaged one's place is taken. */
    @Test
    void savingReplacesADamagedState() throws IOException {
        folder.save(state(1));
        Files.delete(path.resolve("state/000001/state.json"));
        folder.save(state(1));

        assertThat(load()).contains(state(1));
    }

    @Test
    void refusesToGoOnWhenAllAreDamaged() throws IOException {
        folder.save(state(1));
        Files.delete(path.resolve("state/000001/state.json"));

        assertThatThrownBy(this::load)
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("every saved state is damaged");
    }

    private Optional<RunState> load() throws IOException {
        return folder.loadLatest(warnings::add);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(path.resolve("state"))) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    private static RunState state(int stagesDone) {
        PhaseResult result = new PhaseResult(
                "direction",
                new TreeMap<>(Map.of("a/b", new PhaseResult.Training(1.0 / 3, 77, 7))),
                new TreeMap<>(Map.of(Part.A_DIRECTION, 0.1 + stagesDone)),
                64,
                64);
        return new RunState(
                stagesDone,
                new TreeMap<>(Map.of("seed", "1", "recipe", "{\"ü\"}")),
                SHARED.values(Set.of(Part.A, Part.B)),
                new TreeMap<>(Map.of("a/b", SHARED.values(Set.of(Part.B_MAGNITUDE)))),
                new TreeMap<>(Map.of("direction", new TreeMap<>(Map.of("x.mean", Matrix.of(1, 2, 0.1f, -0f))))),
                List.of(result));
    }
}
