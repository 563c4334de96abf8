package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class NativeBlockTest {
    private static final int PAGE = 4096;

    @Test
    void growsInPages() {
        NativeBlock block = new NativeBlock();
        for (int bytes = 1; bytes < 1 << 24; bytes = 3 * bytes + 1) {
            long address = block.address(bytes);
            assertThat(address % PAGE).isZero();
            ByteBuffer buffer = NativeBlock.buffer(address, bytes);
            assertThat(buffer.capacity()).isEqualTo(bytes);
            buffer.put(0, (byte) 1).put(bytes - 1, (byte) 2);
        }
    }

    @Test
    void keepsWhatItHoldsWhileItIsLargeEnough() {
        NativeBlock block = new NativeBlock();
        long address = block.address(1_000);
        NativeBlock.buffer(address, 1_000).putFloat(996, 3);
        assertThat(block.address(10)).isEqualTo(address);
        assertThat(block.address(1_000)).isEqualTo(address);
        assertThat(NativeBlock.buffer(address, 1_000).getFloat(996)).isEqualTo(3);
    }

    @Test
    void eachMemberHasItsOwn() {
        NativeBlock[] blocks = NativeBlock.forTeam();
        assertThat(blocks).hasSize(Team.size());
        assertThat(Arrays.stream(blocks).mapToLong(block -> block.address(1)))
                .doesNotHaveDuplicates()
                .allMatch(address -> address > 0);
    }
}
