package org.fedlora4j.converter.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StridedViewTest {
    @TempDir
    Path folder;

    /** Rows, columns, transposed, sliced, single rows and columns, longer than the reader's chunks; pieces of any place. */
    @Test
    void readsAnyPieceOfAnyView() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int elements = 200_000;
        int before = 13;
        ByteBuffer file = ByteBuffer.allocate(before + 4 * elements).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < elements; i++) {
            file.putInt(before + 4 * i, i);
        }
        Path path = Files.write(folder.resolve("storage"), file.array());
        try (FileChannel channel = FileChannel.open(path)) {
            for (int run = 0; run < 400; run++) {
                int rows = 1 + random.nextInt(1 << random.nextInt(9));
                int columns = 1 + random.nextInt(1 << random.nextInt(9));
                int gap = 1 + random.nextInt(3) * random.nextInt(3) * random.nextInt(200);
                boolean transposed = random.nextBoolean();
                int rowStride = transposed ? gap : columns * gap + random.nextInt(3);
                int columnStride = transposed ? rows * gap + random.nextInt(3) : gap;
                boolean vector = rows == 1 && random.nextBoolean();
                int last = (rows - 1) * rowStride + (columns - 1) * columnStride;
                if (last >= elements) {
                    continue;
                }
                int offset = random.nextInt(elements - last);
                StridedView view = vector
                        ? new StridedView(offset, new long[] {columns}, new long[] {columnStride})
                        : new StridedView(offset, new long[] {rows, columns}, new long[] {rowStride, columnStride});
                view.requireWithin(elements);
                int begin = random.nextInt(rows * columns);
                ByteBuffer out = ByteBuffer.allocate(4 * (1 + random.nextInt(rows * columns - begin)))
                        .order(ByteOrder.LITTLE_ENDIAN);
                view.read(channel, before, 4, begin, out);
                assertThat(out.hasRemaining()).isFalse();
                for (int i = 0; i < out.capacity() / 4; i++) {
                    int wanted = offset + (begin + i) / columns * rowStride + (begin + i) % columns * columnStride;
                    assertThat(out.getInt(4 * i))
                            .as("seed %d, run %d, %s, begin %d, element %d", seed, run, view, begin, i)
                            .isEqualTo(wanted);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 2, 3, 3, 1, true",
        "1, 2, 3, 3, 1, false",
        "0, 2, 3, 4, 1, false",
        "0, 3, 2, 1, 3, true",
        "0, 3, 2, 1, 4, false",
        "0, 4, 4, 0, 0, false",
        "0, 0, 9, 9, 1, true",
        "9223372036854775807, 1, 2, 1, 1, false",
        "0, 9223372036854775807, 9223372036854775807, 1, 1, false",
        "0, 3, 3, 9223372036854775807, 9223372036854775807, false",
    })
    void mustLieInItsStorage(long offset, long rows, long columns, long rowStride, long columnStride, boolean within) {
        StridedView view = new StridedView(offset, new long[] {rows, columns}, new long[] {rowStride, columnStride});
        if (within) {
            view.requireWithin(6);
        } else {
            assertThatThrownBy(() -> view.requireWithin(6))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("wanted one within the 6 elements of its storage");
        }
    }

    @Test
    void refusesWhatIsNoView() {
        for (long[][] sizesAndStrides :
                new long[][][] {{{2, 3}, {1}}, {{-1}, {1}}, {{1}, {-1}}, {{}, {1}}, {{Long.MIN_VALUE}, {1}}}) {
            assertThatThrownBy(() -> new StridedView(0, sizesAndStrides[0], sizesAndStrides[1]))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("as many strides as sizes, none negative");
        }
        assertThatThrownBy(() -> new StridedView(-1, new long[0], new long[0])).isInstanceOf(BadInputException.class);
    }
}
