package org.fedlora4j.model.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    Path temporary;

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        Path path = temporary.resolve("a.safetensors");
        float[] large = new float[200_001];
        for (int i = 0; i < large.length; i++) {
            large[i] = i;
        }
        new SafetensorsWriter()
                .metadata("key", "value")
                .floats("scalar", new long[0], new float[] {7})
                .floats("empty", new long[] {0, 3}, new float[0])
                .floats("large", new long[] {large.length}, large)
                .tensor("bytes", ElementType.U8, new long[] {3}, out -> out.write(new byte[] {1, 2, 3}))
                .write(path);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.metadata()).isEqualTo(Map.of("key", "value"));
            assertThat(file.tensors().keySet()).containsExactlyInAnyOrder("scalar", "empty", "large", "bytes");
            assertThat(file.floats("scalar")).containsExactly(7);
            assertThat(file.tensor("scalar").shape()).isEmpty();
            assertThat(file.floats("empty")).isEmpty();
            assertThat(file.tensor("empty").shape()).containsExactly(0, 3);
            assertThat(file.floats("large")).isEqualTo(large);
            assertThat(file.array("large").data().asFloat()).isEqualTo(large);
        }
    }

    @Test
    void orderOfAddingDoesNotMatter() throws IOException {
        float[] one = {1};
        Path first = temporary.resolve("first");
        Path second = temporary.resolve("second");
        SafetensorsWriter.Source half = out -> out.write(new byte[] {0, 1});
        new SafetensorsWriter()
                .metadata("x", "1")
                .metadata("y", "2")
                .tensor("a", ElementType.F16, new long[] {1}, half)
                .floats("c", new long[] {1}, one)
                .floats("b", new long[] {1}, one)
                .write(first);
        new SafetensorsWriter()
                .floats("b", new long[] {1}, one)
                .floats("c", new long[] {1}, one)
                .tensor("a", ElementType.F16, new long[] {1}, half)
                .metadata("y", "2")
                .metadata("x", "1")
                .write(second);
        assertThat(first).hasSameBinaryContentAs(second);
        try (SafetensorsFile file = SafetensorsFile.open(first)) {
            assertThat(file.tensors().keySet()).as("wide types first").containsExactly("b", "c", "a");
        }
    }

    @Test
    void alignedTensorsLieOnBoundariesAndTheFillingIsHidden() throws IOException {
        Path path = temporary.resolve("a.safetensors");
        new SafetensorsWriter()
                .floats("a", new long[] {5}, new float[5])
                .floats("b", new long[] {16}, new float[16])
                .floats("c", new long[] {1}, new float[] {9})
                .aligned()
                .write(path);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.tensors().keySet()).containsExactly("a", "b", "c");
            assertThat(file.tensors().values())
                    .allSatisfy(tensor -> assertThat(tensor.begin() % 64).isZero());
            assertThat(file.tensor("b").begin() - file.tensor("a").begin()).isEqualTo(64);
            assertThat(file.floats("c")).containsExactly(9);
        }
    }

    @Test
    void dataBeginsOnABoundaryWithoutFillingToo() throws IOException {
        Path path = temporary.resolve("a.safetensors");
        new SafetensorsWriter().floats("a", new long[] {1}, new float[1]).write(path);
        long header = ByteBuffer.wrap(Files.readAllBytes(path))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
        assertThat((8 + header) % 64).isZero();
        assertThat(Files.size(path)).isEqualTo(8 + header + 4);
    }

    @Test
    void refusesNamesAndShapesThatMakeNoFile() {
        SafetensorsWriter writer = new SafetensorsWriter().floats("a", new long[] {1}, new float[1]);
        assertThatThrownBy(() -> writer.floats("a", new long[] {1}, new float[1]))
                .hasMessage("a: added twice");
        assertThatThrownBy(() -> writer.floats("__metadata__", new long[] {1}, new float[1]))
                .hasMessage("__metadata__: the name is reserved");
        assertThatThrownBy(() -> writer.floats("b", new long[] {2, 2}, new float[3]))
                .hasMessage("b: 3 values for [2, 2]");
    }

    @Test
    void aSourceThatWritesTooLittleLeavesNoFile() {
        SafetensorsWriter writer =
                new SafetensorsWriter().tensor("a", ElementType.U8, new long[] {4}, out -> out.write(new byte[3]));
        assertThatThrownBy(() -> writer.write(temporary.resolve("a.safetensors")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a: its source wrote 3 bytes; wanted 4");
        assertThat(temporary).isEmptyDirectory();
    }
}
