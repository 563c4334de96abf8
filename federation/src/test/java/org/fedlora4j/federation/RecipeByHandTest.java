package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Every built-in recipe with numbers that can be followed by hand: one module with A [1, 2], which starts as [3, 4], and B
 * [2, 1], which starts as [0, 0]; client a has 1 example and b has 3, so means are (a + 3 b) / 4. Training is replaced
 * by values that it might have given. What becomes of them is up to Client and Server.
 */
class RecipeByHandTest {
    private static final float TOLERANCE = 1e-6f;

    @ParameterizedTest
    @FieldSource("org.fedlora4j.federation.RecipeFile#BUILT_IN")
    void givesWhatIsComputedByHand(String name) throws IOException {
        switch (name) {
            // The proximal term acts in training; what is trained is averaged alike.
            case "fedavg-lora", "fedprox-lora" -> averaged(name);
            case "fedavg-then-local" -> thenLocal();
            case "fedavg-then-magnitude" -> thenMagnitude();
            case "flexlora" -> products();
            case "ffa-lora" -> frozenA();
            case "fedsa-lora" -> sharedA();
            case "local" -> alone();
            case "centralized" -> centralized();
            case "fedlora-optimizer" -> optimizer();
            case "fedlora-magnitude-last" -> magnitudeLast();
            case "fedlora-two-phase" -> twoPhase();
            case "fedlora-joint" -> joint();
            case "fedlora-global-only" -> globalOnly();
            case "fedlora-local-only" -> localOnly();
            default -> throw new AssertionError("no example of " + name);
        }
    }

    private static Run averaged(String name) throws IOException {
        Run run = warmedUp(name);
        // A = ([1, 0] + 3 [5, 4]) / 4, B = ([4, 4] + 3 [0, 8]) / 4
        run.phase("adapt", a(1, 0).with(b(4, 4)), a(5, 4).with(b(0, 8)));
        run.assertGlobal(a(4, 3).with(b(1, 7)));
        run.assertOwn("a", a(4, 3).with(b(1, 7)));
        run.assertOwn("b", a(4, 3).with(b(1, 7)));
        return run;
    }

    private static void thenLocal() throws IOException {
        Run run = averaged("fedavg-then-local");
        run.assertStart("a", a(4, 3).with(b(1, 7)));
        run.phase("alone", a(2, 2).with(b(1, 1)), a(6, 0).with(b(5, 5)));
        run.assertGlobal(a(4, 3).with(b(1, 7)));
        run.assertOwn("a", a(2, 2).with(b(1, 1)));
        run.assertOwn("b", a(6, 0).with(b(5, 5)));
    }

    private static void thenMagnitude() throws IOException {
        Run run = averaged("fedavg-then-magnitude");
        // B's magnitudes 1 and 7 become 2 and 7 at a, 1 and 3.5 at b; its directions are 1 and 1.
        run.phase("magnitude", magnitude(2, 7), magnitude(1, 3.5f));
        run.assertGlobal(a(4, 3).with(b(1, 7)));
        run.assertOwn("a", a(4, 3).with(b(2, 7)));
        run.assertOwn("b", a(4, 3).with(b(1, 3.5f)));
    }

    private static void products() throws IOException {
        Run run = new Run("flexlora");
        // ((8, 0)ᵀ(4, 0) + 3 (0, 8)ᵀ(0, 1)) / 4 = diag(8, 6): of rank 1 its best is (8, 0)ᵀ(1, 0).
        run.phase("warm-up", a(4, 0).with(b(8, 0)), a(0, 1).with(b(0, 8)));
        run.assertGlobal(a(1, 0).with(b(8, 0)));
        // ((0, 4)ᵀ(0, 3) + 3 (0, 2)ᵀ(2, 0)) / 4 = (0, 1)ᵀ(3, 3), a row of length √18
        run.phase("adapt", a(0, 3).with(b(0, 4)), a(2, 0).with(b(0, 2)));
        float half = (float) Math.sqrt(0.5);
        run.assertGlobal(a(half, half).with(b(0, (float) Math.sqrt(18))));
        run.assertOwn("b", a(half, half).with(b(0, (float) Math.sqrt(18))));
    }

    private static void frozenA() throws IOException {
        Run run = new Run("ffa-lora");
        // ([2, 0] + 3 [2, -4]) / 4
        run.phase("warm-up", b(2, 0), b(2, -4));
        run.assertGlobal(a(3, 4).with(b(2, -3)));
        run.phase("adapt", b(4, 4), b(0, 8));
        run.assertGlobal(a(3, 4).with(b(1, 7)));
        run.assertOwn("a", a(3, 4).with(b(1, 7)));
    }

    private static void sharedA() throws IOException {
        Run run = warmedUp("fedsa-lora");
        run.phase("adapt", a(1, 0).with(b(4, 4)), a(5, 4).with(b(0, 8)));
        run.assertGlobal(a(4, 3).with(b(2, -3)));
        run.assertOwn("a", a(4, 3).with(b(4, 4)));
        run.assertOwn("b", a(4, 3).with(b(0, 8)));
        // In the next round each goes on with the common A and its own B.
        run.assertStart("a", a(4, 3).with(b(4, 4)));
        run.assertStart("b", a(4, 3).with(b(0, 8)));
    }

    private static void alone() throws IOException {
        Run run = new Run("local");
        run.phase("warm-up", a(0, -8).with(b(2, 0)), a(4, 8).with(b(2, -4)));
        run.assertGlobal(a(3, 4).with(b(0, 0)));
        run.assertStart("a", a(0, -8).with(b(2, 0)));
        run.phase("alone", a(1, 0).with(b(4, 4)), a(5, 4).with(b(0, 8)));
        run.assertGlobal(a(3, 4).with(b(0, 0)));
        run.assertOwn("a", a(1, 0).with(b(4, 4)));
        run.assertOwn("b", a(5, 4).with(b(0, 8)));
    }

    /** One client with all four examples, in twice the steps: what it trains is the model. */
    private static void centralized() throws IOException {
        Recipe recipe = Runs.recipe("centralized").withStepsTimes(2);
        assertThat(recipe.warmUp()).extracting(Phase::steps).containsExactly(4);
        assertThat(recipe.round()).extracting(Phase::steps).containsExactly(4);
        Run run = new Run(recipe, ClientData.pooled(List.of(data("a", 1), data("b", 3))));
        run.phase("warm-up", a(0, -8).with(b(2, 0)));
        run.assertGlobal(a(0, -8).with(b(2, 0)));
        run.phase("adapt", a(1, 0).with(b(4, 4)));
        run.assertGlobal(a(1, 0).with(b(4, 4)));
        run.assertOwn("all", a(1, 0).with(b(4, 4)));
    }

    private static void optimizer() throws IOException {
        Run run = averaged("fedlora-optimizer");
        // Directions x and y: (x + 3 y) / 4, and A keeps its length, 5.
        float side = (float) (5 / Math.sqrt(10));
        run.phase("direction", direction(1, 0), direction(0, 1));
        run.assertGlobal(a(side, 3 * side).with(b(1, 7)));
        // a's factors are 2 and 1, b's 1 and 1/2.
        run.phase("magnitude", magnitude(2, 7), magnitude(1, 3.5f));
        run.assertGlobal(a(side, 3 * side).with(b(1, 7)));
        run.assertOwn("a", a(side, 3 * side).with(b(2, 7)));
        run.assertOwn("b", a(side, 3 * side).with(b(1, 3.5f)));

        // The next round starts without the factors, and moves the shared magnitudes under them.
        run.assertStart("a", a(side, 3 * side).with(b(1, 7)));
        run.phase("adapt", a(3, 4).with(b(3, 14)), a(3, 4).with(b(3, 14)));
        run.phase("direction", direction(0.6f, 0.8f), direction(0.6f, 0.8f));
        run.assertStart("a", a(3, 4).with(b(6, 14)));
        run.assertStart("b", a(3, 4).with(b(3, 7)));
        run.phase("magnitude", magnitude(12, 14), magnitude(3, 7));
        run.assertGlobal(a(3, 4).with(b(3, 14)));
        run.assertOwn("a", a(3, 4).with(b(12, 14)));
        run.assertOwn("b", a(3, 4).with(b(3, 7)));
    }

    private static void magnitudeLast() throws IOException {
        Run run = averaged("fedlora-magnitude-last");
        float side = (float) (5 / Math.sqrt(10));
        run.phase("direction", direction(1, 0), direction(0, 1));
        // Until the finish everybody has the shared model.
        run.assertOwn("a", a(side, 3 * side).with(b(1, 7)));
        run.phase("magnitude", magnitude(2, 7), magnitude(1, 3.5f));
        run.assertGlobal(a(side, 3 * side).with(b(1, 7)));
        run.assertOwn("a", a(side, 3 * side).with(b(2, 7)));
        run.assertOwn("b", a(side, 3 * side).with(b(1, 3.5f)));
    }

    private static void twoPhase() throws IOException {
        Run run = warmedUp("fedlora-two-phase");
        float side = (float) (5 / Math.sqrt(10));
        run.phase("direction", direction(1, 0), direction(0, 1));
        // B = [2, -3]: its second direction is -1.
        run.phase("magnitude", magnitude(4, 3), magnitude(1, 6));
        run.assertGlobal(a(side, 3 * side).with(b(2, -3)));
        run.assertOwn("a", a(side, 3 * side).with(b(4, -3)));
        run.assertOwn("b", a(side, 3 * side).with(b(1, -6)));
    }

    private static void joint() throws IOException {
        Run run = warmedUp("fedlora-joint");
        float side = (float) (5 / Math.sqrt(10));
        run.phase(
                "joint", direction(1, 0).with(magnitude(4, 3)), direction(0, 1).with(magnitude(1, 6)));
        run.assertGlobal(a(side, 3 * side).with(b(2, -3)));
        run.assertOwn("a", a(side, 3 * side).with(b(4, -3)));
        run.assertOwn("b", a(side, 3 * side).with(b(1, -6)));
        // Magnitudes are trained in this phase, so it goes on from a client's own.
        run.assertStart("a", a(side, 3 * side).with(b(4, -3)));
    }

    private static void globalOnly() throws IOException {
        Run run = warmedUp("fedlora-global-only");
        float side = (float) (5 / Math.sqrt(10));
        run.phase("direction", direction(1, 0), direction(0, 1));
        run.assertGlobal(a(side, 3 * side).with(b(2, -3)));
        run.assertOwn("a", a(side, 3 * side).with(b(2, -3)));
    }

    private static void localOnly() throws IOException {
        Run run = warmedUp("fedlora-local-only");
        run.phase("magnitude", magnitude(4, 3), magnitude(1, 6));
        run.assertGlobal(a(3, 4).with(b(2, -3)));
        run.assertOwn("a", a(3, 4).with(b(4, -3)));
        run.assertOwn("b", a(3, 4).with(b(1, -6)));
    }

    /** A = ([0, -8] + 3 [4, 8]) / 4, B = ([2, 0] + 3 [2, -4]) / 4. */
    private static Run warmedUp(String name) throws IOException {
        Run run = new Run(name);
        run.phase("warm-up", a(0, -8).with(b(2, 0)), a(4, 8).with(b(2, -4)));
        run.assertGlobal(a(3, 4).with(b(2, -3)));
        return run;
    }

    private static PartValues a(float first, float second) {
        return Adapters.values(Part.A, Matrix.of(1, 2, first, second));
    }

    private static PartValues b(float first, float second) {
        return Adapters.values(Part.B, Matrix.of(2, 1, first, second));
    }

    private static PartValues direction(float first, float second) {
        return Adapters.values(Part.A_DIRECTION, Matrix.of(1, 2, first, second));
    }

    private static PartValues magnitude(float first, float second) {
        return Adapters.values(Part.B_MAGNITUDE, Matrix.of(2, 1, first, second));
    }

    private static ClientData data(String id, int examples) {
        Example example = new Example(new int[] {1, 2, 3}, new int[] {-100, 2, 3});
        return new ClientData(id, Collections.nCopies(examples, example));
    }

    /** A run without a model: stage after stage, what clients trained is given. */
    private static final class Run {
        private static final PhaseResult.Training TRAINING = new PhaseResult.Training(1, 2, 3);

        private final Recipe recipe;
        private final Server server = new Server(Adapters.single(0, 0), new TreeMap<>());
        private final SortedMap<String, Client> clients = new TreeMap<>();
        private int stage;

        /** One warm-up round and two rounds of clients a and b. */
        Run(String name) throws IOException {
            this(Runs.recipe(name), data("a", 1), data("b", 3));
        }

        Run(Recipe recipe, ClientData... data) {
            this.recipe = recipe;
            Federation.Settings settings =
                    new Federation.Settings(LoraConfig.of(1, 1, "q_proj"), recipe, rounds(), 1, 1, 0, 1);
            for (ClientData client : data) {
                clients.put(client.id(), new Client(client, settings));
            }
        }

        /** A finish is reached after one round. */
        private int rounds() {
            return recipe.finish().isEmpty() ? 2 : 1;
        }

        /** The next phase, which has this name; the clients' values are in the order of their ids. */
        void phase(String name, PartValues... trained) throws IOException {
            RoundContext context = new RoundContext(recipe, rounds(), 1, stage++);
            assertThat(context.phase().name()).isEqualTo(name);
            List<SharedUpdate> updates = new ArrayList<>();
            for (Client client : clients.values()) {
                PartValues values = trained[updates.size()];
                assertThat(values.parts()).isEqualTo(context.phase().train());
                SharedUpdate update = client.update(context, server.shared(), values, TRAINING);
                assertThat(update.values().parts()).isEqualTo(context.phase().share());
                updates.add(update);
            }
            server.aggregate(context, Updates.of(updates));
        }

        void assertGlobal(PartValues expected) {
            assertAdapter("global", server.shared().adapter(), expected);
        }

        void assertOwn(String id, PartValues expected) {
            assertAdapter(id + "'s own", client(id).own().applyTo(server.shared()), expected);
        }

        /** What the client would start the next phase from. */
        void assertStart(String id, PartValues expected) {
            Phase next = new RoundContext(recipe, rounds(), 1, stage).phase();
            assertAdapter(id + "'s start", client(id).applied(next).applyTo(server.shared()), expected);
        }

        private Client client(String id) {
            return Objects.requireNonNull(clients.get(id));
        }

        private void assertAdapter(String what, AdapterState adapter, PartValues expected) {
            LoraPair pair = adapter.pair(Adapters.QUERY);
            String description = recipe.name() + ", " + what;
            assertThat(pair.a().values())
                    .as(description)
                    .containsExactly(expected.of(Part.A, Adapters.QUERY).values(), within(TOLERANCE));
            assertThat(pair.b().values())
                    .as(description)
                    .containsExactly(expected.of(Part.B, Adapters.QUERY).values(), within(TOLERANCE));
        }
    }
}
