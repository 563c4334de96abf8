package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TilesTest {
    /** Rows, terms and columns; the last three have a right matrix that the cache can't hold. */
    @ParameterizedTest
    @CsvSource({
        "1, 8, 2",
        "255, 16, 1000",
        "300, 8, 33",
        "1037, 576, 1536",
        "1, 4096, 2100",
        "700, 4096, 2100",
        "1600, 4096, 2100"
    })
    void everyElementIsInOneTile(int rows, int inner, int columns) {
        Tiles tiles = Tiles.inCache(rows, inner, columns);
        int[][] covered = new int[rows][columns];
        for (int tile = 0; tile < tiles.count(); tile++) {
            for (int row = tiles.row(tile); row < tiles.row(tile) + tiles.rows(tile); row++) {
                for (int column = tiles.column(tile); column < tiles.column(tile) + tiles.columns(tile); column++) {
                    covered[row][column]++;
                }
            }
        }
        for (int[] row : covered) {
            assertThat(row).containsOnly(1);
        }
    }

    @ParameterizedTest
    @CsvSource({"512, 512", "900, 900", "1024, 512"})
    void aRightMatrixThatTheCacheCantHoldIsReadOnce(int rows, int tall) {
        assertThat(Tiles.inCache(rows, 4096, 11008).rows(0)).isEqualTo(tall);
    }
}
