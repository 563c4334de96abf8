package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.optimizer.ServerOptimizer;
import org.fedlora4j.federation.optimizer.ServerSettings;
import org.fedlora4j.lora.LearningRateSchedule;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PhaseAggregationTest {
    private static final long SEED = 4;
    private static final SharedParts SHARED = Adapters.single(0.5f, -2);
    private static final Phase DIRECTION = Adapters.phase(Set.of(Part.A_DIRECTION), Set.of(Part.A_DIRECTION));
    private static final Phase WHOLE = Adapters.phase(Set.of(Part.A, Part.B), Set.of(Part.A, Part.B));
    private static final Phase PRODUCTS = new Phase(
            "products",
            WHOLE.train(),
            WHOLE.share(),
            1,
            1,
            LearningRateSchedule.CONSTANT,
            0,
            0,
            Aggregation.PRODUCT_SVD,
            ServerSettings.AGGREGATE);

    /** Directions x and y, equally many examples: 45°, and A keeps its length 5. */
    @Test
    void directionsMeetOnTheSphere() throws IOException {
        PhaseAggregation.Result result =
                aggregate(SHARED, DIRECTION, List.of(direction("a", 1, 0), direction("b", 0, 1)));

        float side = 5 * (float) Math.sqrt(0.5);
        assertThat(result.shared().adapter().pair(Adapters.QUERY).a().values())
                .containsExactly(new float[] {side, side}, within(1e-6f));
        assertThat(result.drift()).containsOnlyKeys(Part.A_DIRECTION);
        assertThat(result.drift().get(Part.A_DIRECTION)).isEqualTo(Math.sqrt(0.5));
    }

    @Test
    void wholeMatricesAreAveraged() throws IOException {
        SharedParts other = Adapters.single(1.5f, 4);
        PhaseAggregation.Result result = aggregate(SHARED, WHOLE, List.of(whole("a", SHARED, 3), whole("b", other, 1)));

        assertThat(result.shared().adapter().pair(Adapters.QUERY).b()).isEqualTo(Matrix.of(2, 1, 0.75f, -0.5f));
        assertThat(result.drift()).isEmpty();
    }

    /** 3/4 (4, 0)ᵀ(1, 0) + 1/4 (0, 8)ᵀ(0, 1) = diag(3, 2): of rank 1 its best is 3 (1, 0)ᵀ(1, 0). */
    @Test
    void productsAreAveraged() throws IOException {
        PhaseAggregation.Result result = aggregate(
                SHARED,
                PRODUCTS,
                List.of(
                        products("a", Matrix.of(1, 2, 1, 0), Matrix.of(2, 1, 4, 0), 9),
                        products("b", Matrix.of(1, 2, 0, 1), Matrix.of(2, 1, 0, 8), 3)));

        assertThat(result.shared().adapter().pair(Adapters.QUERY))
                .isEqualTo(new LoraPair(Matrix.of(1, 2, 1, 0), Matrix.of(2, 1, 3, 0)));
        assertThat(result.drift()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            value = Aggregation.class,
            names = {"MEAN", "PRODUCT_SVD"})
    void theOrderOfArrivalDoesNotMatter(Aggregation aggregation) throws IOException {
        Phase phase = aggregation == Aggregation.MEAN ? WHOLE : PRODUCTS;
        Random random = new Random(SEED);
        SharedParts shared = Adapters.random(random, MagnitudeAxis.ROW);
        List<SharedUpdate> updates = new ArrayList<>();
        for (int client = 0; client < 12; client++) {
            SharedParts trained = Adapters.random(random, MagnitudeAxis.ROW);
            updates.add(whole("client-" + client, phase, trained, 1 + random.nextInt(100)));
        }
        PhaseAggregation.Result inOrder = aggregate(shared, phase, updates);
        Collections.shuffle(updates, random);

        assertThat(aggregate(shared, phase, updates)).as("seed %d", SEED).isEqualTo(inOrder);
    }

    @Test
    void oneClientIsTheModel() throws IOException {
        SharedParts trained = Adapters.single(1.5f, 4);
        assertThat(aggregate(SHARED, WHOLE, List.of(whole("a", trained, 9))).shared())
                .isEqualTo(trained);
    }

    @Test
    void refusesTwoUpdatesOfAClientAndThoseOfAnotherPhase() {
        SharedUpdate update = direction("a", 1, 0);
        assertThatThrownBy(() -> aggregate(SHARED, DIRECTION, List.of(update, update)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("two updates of client a");
        Phase other = new Phase(
                "other",
                DIRECTION.train(),
                DIRECTION.share(),
                DIRECTION.steps(),
                DIRECTION.learningRate(),
                DIRECTION.schedule(),
                DIRECTION.weightDecay(),
                DIRECTION.proximal(),
                DIRECTION.aggregation(),
                DIRECTION.server());
        assertThatThrownBy(() -> aggregate(SHARED, other, List.of(update)))
                .hasMessage("update of client a: phase phase, wanted other");
    }

    @Test
    void refusesOtherUpdatesThanThoseThatWereAnnounced() {
        PhaseAggregation aggregation =
                new PhaseAggregation(SHARED, WHOLE, new TreeMap<>(Map.of("a", 3L, "b", 1L, "c", 2L)));
        assertThatThrownBy(() -> aggregation.add(whole("a", SHARED, 4)))
                .hasMessage("the update of client a of weight 4, wanted that of a of weight 3");
        aggregation.add(whole("b", SHARED, 1));
        assertThatThrownBy(() -> aggregation.result(new ServerOptimizer(WHOLE.server())))
                .hasMessage("no update of client c of weight 2");
        assertThatThrownBy(() -> aggregation.add(whole("d", SHARED, 1)))
                .hasMessage("the update of client d of weight 1, wanted that of nobody");
    }

    private static PhaseAggregation.Result aggregate(SharedParts shared, Phase phase, List<SharedUpdate> list)
            throws IOException {
        Updates updates = Updates.of(list);
        PhaseAggregation aggregation = new PhaseAggregation(shared, phase, updates.weights());
        updates.forEach(aggregation::add);
        return aggregation.result(new ServerOptimizer(phase.server()));
    }

    private static SharedUpdate direction(String client, float... direction) {
        PartValues values = Adapters.values(Part.A_DIRECTION, Matrix.of(1, 2, direction));
        return new SharedUpdate(client, DIRECTION, 0, SHARED, 10, Map.of(), values);
    }

    private static SharedUpdate whole(String client, SharedParts trained, long weight) {
        return whole(client, WHOLE, trained, weight);
    }

    private static SharedUpdate products(String client, Matrix a, Matrix b, long weight) {
        PartValues values = new PartValues(new TreeMap<>(Map.of(
                Part.A, new TreeMap<>(Map.of(Adapters.QUERY, a)), Part.B, new TreeMap<>(Map.of(Adapters.QUERY, b)))));
        return whole(client, PRODUCTS, SHARED.with(values), weight);
    }

    private static SharedUpdate whole(String client, Phase phase, SharedParts trained, long weight) {
        return new SharedUpdate(client, phase, 0, trained, weight, Map.of(), trained.values(phase.share()));
    }
}
