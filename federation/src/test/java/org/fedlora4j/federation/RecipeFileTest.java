package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.optimizer.ServerSettings;
import org.fedlora4j.lora.LearningRateSchedule;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class RecipeFileTest {
    @SuppressWarnings("unused") // the source of a parameterized test
    private static final Iterable<String> NAMES = RecipeFile.BUILT_IN;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @FieldSource("NAMES")
    void everyBuiltInTakesAsManySteps(String name) throws IOException {
        Recipe recipe = RecipeFile.load(name);
        assertThat(recipe.name()).isEqualTo(name);
        assertThat(recipe.stepsPerRound()).isEqualTo(12);
        assertThat(recipe.warmUpRounds()).isEqualTo(2);
    }

    @ParameterizedTest
    @FieldSource("NAMES")
    void survivesItsOwnTree(String name) throws IOException {
        Recipe recipe = RecipeFile.load(name);
        assertThat(RecipeFile.fromTree(RecipeFile.toTree(recipe), "result.json"))
                .isEqualTo(recipe);
    }

    @Test
    void theMethodIsAsDesigned() throws IOException {
        Recipe recipe = RecipeFile.load("fedlora-optimizer");

        assertThat(recipe.magnitudeAxis()).isEqualTo(MagnitudeAxis.ROW);
        assertThat(recipe.magnitudeStep()).isEqualTo(MagnitudeStep.MULTIPLICATIVE);
        assertThat(recipe.round()).extracting(Phase::name).containsExactly("adapt", "direction", "magnitude");
        assertThat(recipe.round()).extracting(Phase::steps).containsExactly(6, 3, 3);
        assertThat(recipe.round()).extracting(Phase::learningRate).containsExactly(5e-3, 1e-2, 2e-2);
        Phase magnitude = recipe.round().get(2);
        assertThat(magnitude.share()).isEmpty();
        assertThat(recipe.privateParts()).containsExactly(Part.B_MAGNITUDE);
        assertThat(recipe.privatePartsIn(recipe.round().get(0))).isEmpty();
        assertThat(recipe.privatePartsIn(magnitude)).containsExactly(Part.B_MAGNITUDE);
    }

    @Test
    void aClientOfFedSaKeepsItsB() throws IOException {
        Recipe recipe = RecipeFile.load("fedsa-lora");
        assertThat(recipe.privateParts()).containsExactly(Part.B);
        assertThat(recipe.privatePartsIn(recipe.round().get(0))).containsExactly(Part.B);
        assertThat(recipe.privatePartsIn(recipe.warmUp().get(0))).isEmpty();
    }

    @Test
    void rivalsAreFedAvgWithOneThingMore() throws IOException {
        Recipe average = RecipeFile.load("fedavg-lora");
        Phase adapt = average.round().get(0);
        assertThat(RecipeFile.load("fedprox-lora").round())
                .containsExactly(Runs.trained(adapt, LearningRateSchedule.CONSTANT, 0.01));
        for (String name : List.of("centralized", "fedavg-then-local", "fedavg-then-magnitude")) {
            Recipe recipe = RecipeFile.load(name);
            assertThat(recipe.warmUp()).as(name).isEqualTo(average.warmUp());
            assertThat(recipe.round()).as(name).isEqualTo(average.round());
            assertThat(recipe.pooled()).as(name).isEqualTo(name.equals("centralized"));
        }
        assertThat(RecipeFile.load("fedavg-then-local").finish())
                .extracting(Phase::train, Phase::share, Phase::steps, Phase::learningRate)
                .containsExactly(tuple(Set.of(Part.A, Part.B), Set.of(), 12, 1e-3));
        Recipe magnitude = RecipeFile.load("fedavg-then-magnitude");
        assertThat(magnitude.finish())
                .extracting(Phase::train, Phase::share, Phase::steps, Phase::learningRate)
                .containsExactly(tuple(Set.of(Part.B_MAGNITUDE), Set.of(), 12, 5e-2));
        assertThat(magnitude.privateFactorIn()).containsExactly("magnitude");
        assertThat(magnitude.privatePartsIn(magnitude.round().get(0))).isEmpty();
    }

    @Test
    void readsEverySettingOfAFile() throws IOException {
        Recipe recipe = load("""
                name: mine
                magnitude-axis: column
                magnitude-step: additive
                pooled: false
                private-factor-in: [turn]
                round:
                  - name: turn
                    train: [A.direction, B.magnitude]
                    share: [A.direction]
                    steps: 5
                    learning-rate: 0.5
                    schedule: cosine
                    weight-decay: 0.25
                    proximal: 0.75
                    aggregator: karcher
                    server: {optimizer: adam, step: 0.1, beta1: 0.2, beta2: 0.3, epsilon: 0.4}
                finish:
                  - {name: settle, train: [B.magnitude], share: [], steps: 1, learning-rate: 2}
                """);
        Phase phase = new Phase(
                "turn",
                Set.of(Part.A_DIRECTION, Part.B_MAGNITUDE),
                Set.of(Part.A_DIRECTION),
                5,
                0.5,
                LearningRateSchedule.COSINE,
                0.25,
                0.75,
                Aggregation.KARCHER,
                new ServerSettings.Adam(0.1, 0.2, 0.3, 0.4));
        Phase settle = new Phase(
                "settle",
                Set.of(Part.B_MAGNITUDE),
                Set.of(),
                1,
                2,
                LearningRateSchedule.CONSTANT,
                0,
                0,
                Aggregation.MEAN,
                ServerSettings.AGGREGATE);
        assertThat(recipe)
                .isEqualTo(new Recipe(
                        "mine",
                        0,
                        List.of(),
                        List.of(phase),
                        List.of(settle),
                        false,
                        MagnitudeAxis.COLUMN,
                        MagnitudeStep.ADDITIVE,
                        Set.of("turn")));
        assertThat(RecipeFile.fromTree(RecipeFile.toTree(recipe), "tree")).isEqualTo(recipe);
    }

    @Test
    void reportsAllProblemsByName() {
        assertThatThrownBy(() -> load("""
                                name: mine
                                magnitude-axis: diagonal
                                rounds: 3
                                round:
                                  - {name: a, train: [A.length], share: [], steps: many, learning-rate: 1, step: 2}
                                """))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(folder.resolve("recipe.yaml") + ": ")
                .hasMessageContaining("magnitude-axis: \"diagonal\", wanted one of [row, column]")
                .hasMessageContaining("rounds: unknown, wanted some of [name,")
                .hasMessageContaining("round[0].train: 'A.length', wanted one of [A, B, A.direction,")
                .hasMessageContaining("round[0].steps: \"many\", wanted a whole number")
                .hasMessageContaining("round[0].step: unknown");
    }

    @Test
    void refusesWhatMakesNoSense() {
        assertPhaseRefused("train: [A], share: [B], steps: 1, learning-rate: 1", "share: [B], wanted only");
        assertPhaseRefused(
                "train: [A, A.direction], share: [], steps: 1, learning-rate: 1", "train: A and A.direction");
        assertPhaseRefused("train: [], share: [], steps: 1, learning-rate: 1", "train: empty");
        assertPhaseRefused("train: [A], share: [A], steps: 0, learning-rate: 1", "steps: 0");
        assertPhaseRefused("train: [A], share: [A], steps: 1, learning-rate: -1", "learning-rate: -1.0");
        assertPhaseRefused(
                "train: [A], share: [A], steps: 1, learning-rate: 1, proximal: -0.1",
                "proximal: -0.1, wanted a number of at least 0");
        assertPhaseRefused(
                "train: [A], share: [A], steps: 1, learning-rate: 1, proximal: 1.0e+999", "proximal: Infinity");
        assertPhaseRefused(
                "train: [A], share: [A], steps: 1, learning-rate: 1, schedule: step",
                "schedule: \"step\", wanted one of [constant, linear, cosine]");
        assertPhaseRefused(
                "train: [A.direction], share: [A.direction], steps: 1, learning-rate: 1, aggregator: mean",
                "aggregator: mean, wanted sphere-mean or karcher");
        assertPhaseRefused(
                "train: [A], share: [A], steps: 1, learning-rate: 1, aggregator: karcher",
                "aggregator: only a phase that shares a direction");
        assertPhaseRefused(
                "train: [A, B], share: [A], steps: 1, learning-rate: 1, aggregator: product-svd",
                "aggregator: product-svd, wanted mean or another, for what is shared is [A] and not [A, B]");
        assertPhaseRefused(
                "train: [A, B], share: [A, B], steps: 1, learning-rate: 1, aggregator: product-svd, server: {step: 2}",
                "server: Step[step=2.0], wanted no optimizer and step 1.0 with product-svd");
        assertPhaseRefused(
                "train: [A], share: [], steps: 1, learning-rate: 1, server: {step: 2}", "server: only a phase");
        assertPhaseRefused(
                "train: [A], share: [A], steps: 1, learning-rate: 1, server: {step: 1, momentum: 0.9}",
                "round[0].server.momentum: unknown");
    }

    @Test
    void refusesKeepingAMatrixAndItsPart() {
        assertThatThrownBy(() -> load("""
                                name: mine
                                round:
                                  - {name: a, train: [B], share: [], steps: 1, learning-rate: 1}
                                  - {name: b, train: [B.magnitude], share: [], steps: 1, learning-rate: 1}
                                """)).hasMessageContaining("clients keep both B and a part of it");
    }

    @Test
    void refusesAFinishThatMakesNoSense() {
        assertRefused("finish: {name: b}", "finish: {\"name\":\"b\"}, wanted a list");
        assertRefused(
                "finish: [{name: a, train: [A], share: [A], steps: 1, learning-rate: 1}]",
                "name: two phases are called 'a'");
        assertRefused(
                "finish: [{name: b, train: [A], share: [A], steps: 1, learning-rate: 0}]",
                "finish[0].learning-rate: 0.0");
    }

    @Test
    void refusesPoolingWhatIsPrivate() {
        assertRefused("pooled: maybe", "pooled: \"maybe\", wanted true or false");
        assertRefused(
                "pooled: true\nfinish: [{name: b, train: [A, B], share: [A], steps: 1, learning-rate: 1}]",
                "pooled: true, with [B] kept private; wanted phases that share all they train");
    }

    @Test
    void refusesWhatIsNoRecipe() {
        assertThatThrownBy(() -> RecipeFile.load("fedlora"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("'fedlora' is neither a file nor one of [fedlora-optimizer,");
        assertThatThrownBy(() -> load("a: ["))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("not YAML");
        assertThatThrownBy(() -> load("- a"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("an object");
        assertThatThrownBy(() -> load("")).isInstanceOf(BadInputException.class);
        assertThatThrownBy(() -> load("name: a\nname: b")).hasMessageContaining("Duplicate");
    }

    private void assertRefused(String more, String message) {
        String round = "round: [{name: a, train: [A], share: [A], steps: 1, learning-rate: 1}]\n";
        assertThatThrownBy(() -> load("name: mine\n" + round + more + "\n"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(message);
    }

    private void assertPhaseRefused(String phase, String message) {
        assertThatThrownBy(() -> load("name: mine\nround: [{name: a, " + phase + "}]\n"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("round[0].")
                .hasMessageContaining(message);
    }

    private Recipe load(String yaml) throws IOException {
        Path file = folder.resolve("recipe.yaml");
        Files.writeString(file, yaml);
        return RecipeFile.load(file.toString());
    }
}
