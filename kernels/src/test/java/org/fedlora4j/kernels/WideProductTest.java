package org.fedlora4j.kernels;

import java.util.stream.Stream;
import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;
import org.fedlora4j.kernels.ProductCase.Types;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Half of the left matrix for each part: the whole product, in one tile or many, against a naive one in double. */
class WideProductTest {
    private static final int[][] SIZES = {
        {1, 7, 2}, {7, 33, 33}, {9, 24, 900}, {300, 33, 7}, {257, 7, 65}, {289, 2, 433}, {800, 8, 48}
    };
    private static final long SEED = 53;

    static Stream<Types> types() {
        return Types.ALL.stream().filter(types -> types.result() == Type.F32);
    }

    @ParameterizedTest
    @MethodSource("types")
    void sizesLayoutsAndSums(Types types) {
        if (ProductCase.available(types)) {
            for (int[] size : SIZES) {
                for (boolean turned : new boolean[] {false, types.canTurnRight(size[1])}) {
                    Shape shape = ProductCase.shape(size[0], size[1], size[2], types, false, turned, 3);
                    for (Sum sum : Sum.values()) {
                        WideProduct halves = new WideProduct(ProductCase.scaled(shape, 0.5f, sum));
                        new ProductCase(ProductCase.scaled(shape, 1, sum), SEED)
                                .check((left, right, result, other) -> halves.run(left, left, right, result, other));
                    }
                }
            }
        }
    }
}
