package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;
import org.fedlora4j.kernels.ProductCase.Types;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Products in shares, of columns and of rows, some of which are smaller than others, against naive ones in double. */
class SharedProductTest {
    private static final int[][] SIZES = {
        {1, 7, 2},
        {7, 33, 33},
        {64, 16, 300},
        {16, 64, 96},
        {9, 24, 71},
        {300, 33, 7},
        {257, 7, 65},
        {289, 2, 33},
        {3, 4500, 70}
    };
    private static final long SEED = 47;

    static Stream<Types> types() {
        return Types.ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("types")
    void sizesLayoutsAndSums(Types types) {
        if (ProductCase.available(types)) {
            for (int[] size : SIZES) {
                for (int layout = 0; layout < 4; layout++) {
                    boolean leftTransposed = (layout & 1) != 0 && size[0] > 1;
                    boolean rightTransposed = (layout & 2) != 0 && types.canTurnRight(size[1]);
                    Shape shape = ProductCase.shape(
                            size[0], size[1], size[2], types, leftTransposed, rightTransposed, layout);
                    for (Sum sum : Sum.values()) {
                        Shape summed = ProductCase.scaled(shape, layout + 1, sum);
                        new ProductCase(summed, SEED + layout).check(new SharedProduct(summed)::run);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void aSummandIsReplaced(Types types) {
        if (ProductCase.available(types) && types.result() == Type.F32) {
            Shape shape = ProductCase.scaled(ProductCase.shape(300, 64, 90, types, false, true, 0), 1, Sum.OTHER);
            new ProductCase(ProductCase.scaled(shape, 1, Sum.RESULT), SEED)
                    .check((left, right, result, other) -> new SharedProduct(shape).run(left, right, result, result));
        }
    }

    /** What the cache can't hold: in tiles of columns, and in pieces; a few of its rows are checked. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLargeRightMatrix(boolean transposed) {
        if (ProductCase.available(Types.BF16)) {
            int rows = 600;
            int inner = 2100;
            int columns = 2050;
            assertThat(Tiles.areTall(rows, inner, columns)).isTrue();
            Shape shape = ProductCase.shape(rows, inner, columns, Types.BF16, false, transposed, 3);
            for (Sum sum : Sum.values()) {
                Shape summed = ProductCase.scaled(shape, 2, sum);
                new ProductCase(summed, SEED).check(new SharedProduct(summed)::run, 97);
            }
        }
    }

    @Test
    void callersInTwoThreadsDontDisturbEachOther() throws Exception {
        if (ProductCase.available()) {
            List<Types> types = types().filter(ProductCase::available).toList();
            List<Callable<Void>> callers = new ArrayList<>();
            for (int caller = 0; caller < 2; caller++) {
                int rows = 40 + caller;
                callers.add(() -> {
                    for (int i = 0; i < 60; i++) {
                        // Half of the shapes are the other caller's, too.
                        Shape shape = ProductCase.shape(
                                i % 2 == 0 ? 40 : rows, 56, 70 + i, types.get(i % types.size()), false, true, 0);
                        new ProductCase(shape, SEED + rows + i).check(new SharedProduct(shape)::run);
                    }
                    return null;
                });
            }
            ExecutorService threads = Executors.newFixedThreadPool(callers.size());
            try {
                for (Future<Void> caller : threads.invokeAll(callers)) {
                    assertThat(caller.get()).isNull();
                }
            } finally {
                threads.shutdown();
            }
        }
    }
}
