package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.fedlora4j.model.exec.MemoryLayout.Lifetime;
import org.junit.jupiter.api.Test;

class MemoryLayoutTest {
    @Test
    void buffersThatLiveTogetherNeverShareAByte() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            List<Lifetime> lifetimes = new ArrayList<>();
            int count = 1 + random.nextInt(40);
            for (int i = 0; i < count; i++) {
                int first = i / (1 + random.nextInt(3));
                first = lifetimes.isEmpty()
                        ? 0
                        : Math.max(first, lifetimes.get(i - 1).first());
                lifetimes.add(new Lifetime("b" + i, random.nextInt(500), first, first + random.nextInt(8)));
            }
            MemoryLayout layout = new MemoryLayout(lifetimes);
            long sum = 0;
            for (Lifetime one : lifetimes) {
                long begin = layout.offset(one.name());
                assertThat(begin % Arena.ALIGNMENT).isZero();
                assertThat(begin + one.bytes()).isLessThanOrEqualTo(layout.bytes());
                sum += Arena.align(one.bytes());
                for (Lifetime other : lifetimes) {
                    boolean together = !one.equals(other) && one.first() <= other.last() && other.first() <= one.last();
                    long otherBegin = layout.offset(other.name());
                    boolean shared = begin < otherBegin + other.bytes() && otherBegin < begin + one.bytes();
                    assertThat(together && shared)
                            .as("%s and %s overlap, seed %d", one, other, seed)
                            .isFalse();
                }
            }
            assertThat(layout.bytes()).as("seed %d", seed).isLessThanOrEqualTo(sum);
        }
    }

    @Test
    void theDeadMakeRoom() {
        MemoryLayout chain = new MemoryLayout(List.of(
                new Lifetime("a", 64, 0, 1),
                new Lifetime("b", 64, 1, 2),
                new Lifetime("c", 64, 2, 3),
                new Lifetime("d", 64, 3, 3)));
        assertThat(chain.bytes()).isEqualTo(128);
        assertThat(chain.offset("c")).isEqualTo(chain.offset("a"));
        assertThatThrownBy(() -> chain.offset("e")).hasMessage("no buffer was laid out for e");
    }
}
