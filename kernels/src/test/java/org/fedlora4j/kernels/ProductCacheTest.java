package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.ProductCase.Types;
import org.junit.jupiter.api.Test;

/** Products come and go, and what is in use stays. */
class ProductCacheTest {
    private static final int BOUND = 8;
    private static final int SHAPES = 500;
    private static final long SEED = 37;
    private static final long PATIENCE_MILLIS = 20_000;

    private final ProductCache cache = new ProductCache(BOUND);

    @Test
    void manyShapesLeaveFewPrimitives() throws InterruptedException {
        if (ProductCase.available()) {
            int before = Primitive.live();
            for (int rows = 1; rows <= SHAPES; rows++) {
                Shape shape = shape(rows);
                cache.get(shape);
                if (rows % 50 == 0) {
                    check(shape);
                    check(shape(rows / 2));
                }
            }
            // Those that were dropped after the cache last asked for a collection may still be there.
            assertThat(liveAtMost(before + BOUND + BOUND / 2)).isTrue();
        }
    }

    @Test
    void whoHoldsAProductMayUseIt() {
        if (ProductCase.available()) {
            List<Product> held =
                    Stream.of(3, 5, 7).map(rows -> cache.get(shape(rows))).toList();
            for (int rows = 10; rows <= SHAPES; rows++) {
                cache.get(shape(rows));
            }
            System.gc();
            for (int i = 0; i < held.size(); i++) {
                assertThat(cache.get(shape(3 + 2 * i))).isNotSameAs(held.get(i));
                new ProductCase(shape(3 + 2 * i), SEED).check(running(held.get(i)));
            }
        }
    }

    @Test
    void whatIsAskedForStays() {
        if (ProductCase.available()) {
            Product asked = cache.get(shape(3));
            for (int rows = 10; rows <= 100; rows++) {
                cache.get(shape(rows));
                assertThat(cache.get(shape(3))).isSameAs(asked);
            }
        }
    }

    /** Every member asks for all shapes, more than there is room for, and runs them while others are dropped. */
    @Test
    void membersShareIt() {
        if (ProductCase.available()) {
            List<ProductCase> cases = new ArrayList<>();
            for (int i = 0; i < Team.size(); i++) {
                cases.add(new ProductCase(shape(11 + i), SEED + i));
            }
            Team.run(Team.size(), 1, (from, to, member) -> {
                for (int i = from; i < to; i++) {
                    Shape shape = shape(11 + i);
                    for (int turn = 0; turn < SHAPES; turn++) {
                        cache.get(shape(20 + turn));
                        cases.get(i)
                                .check((left, right, result, other) ->
                                        cache.get(shape).run(member, left, right, result, other));
                    }
                }
            });
        }
    }

    private void check(Shape shape) {
        new ProductCase(shape, SEED).check(running(cache.get(shape)));
    }

    private static ProductCase.Multiplication running(Product product) {
        return (left, right, result, other) -> product.run(0, left, right, result, other);
    }

    private static Shape shape(int rows) {
        return ProductCase.shape(rows, 24, 16, Types.ALL.get(0), false, true, 0);
    }

    /** Whether there are so few soon: native memory is given back by a thread of its own. */
    private static boolean liveAtMost(int wanted) throws InterruptedException {
        for (long waited = 0; waited < PATIENCE_MILLIS && Primitive.live() > wanted; waited += 10) {
            Thread.sleep(10);
        }
        return Primitive.live() <= wanted;
    }
}
