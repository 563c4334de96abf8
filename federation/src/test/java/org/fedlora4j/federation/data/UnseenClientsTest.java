package org.fedlora4j.federation.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;

class UnseenClientsTest {
    private static final Set<String> CLIENTS = Set.of("a", "b", "c", "d", "e");

    @Test
    void aNumberOfClientsIsDrawnBySeed() {
        UnseenClients two = new UnseenClients(2, Set.of());
        Set<SortedSet<String>> draws = new HashSet<>();
        Set<String> everDrawn = new TreeSet<>();
        for (int seed = 0; seed < 50; seed++) {
            SortedSet<String> drawn = two.of(CLIENTS, seed);
            assertThat(drawn).hasSize(2).isSubsetOf(CLIENTS);
            assertThat(two.of(new TreeSet<>(CLIENTS), seed)).isEqualTo(drawn);
            draws.add(drawn);
            everDrawn.addAll(drawn);
        }
        assertThat(draws).as("of 10 pairs").hasSizeGreaterThan(5);
        assertThat(everDrawn).isEqualTo(CLIENTS);
    }

    @Test
    void namedClientsAreThose() {
        assertThat(new UnseenClients(0, Set.of("d", "b")).of(CLIENTS, 1)).containsExactly("b", "d");
        assertThat(UnseenClients.NONE.of(CLIENTS, 1)).isEmpty();
    }

    @Test
    void someoneMustTrainAndNamesMustBeClients() {
        assertThatThrownBy(() -> new UnseenClients(-1, Set.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessage("unseen-clients: -1, wanted at least 0");
        assertThatThrownBy(() -> new UnseenClients(5, Set.of()).of(CLIENTS, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessage("data.unseen-clients: 5 of 5 clients, wanted at least one that trains");
        assertThatThrownBy(() -> new UnseenClients(0, CLIENTS).of(CLIENTS, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessage("data.unseen-clients: 5 of 5 clients, wanted at least one that trains");
        assertThatThrownBy(() -> new UnseenClients(0, Set.of("a", "x", "f")).of(CLIENTS, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessage("data.unseen-clients: [f, x] not found, wanted some of [a, b, c, d, e]");
    }
}
