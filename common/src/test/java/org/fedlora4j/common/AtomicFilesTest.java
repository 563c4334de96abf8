package org.fedlora4j.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private Stream<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).toList().stream();
        }
    }

    @Test
    void aFileIsReplacedWhole() throws IOException {
        Path file = folder.resolve("file");
        AtomicFiles.writeString(file, "old");
        AtomicFiles.writeStream(file, out -> {
            out.write(new byte[] {'n', 'e'});
            assertThat(file).hasContent("old");
            out.write('w');
        });
        assertThat(file).hasContent("new");
        assertThat(names()).containsExactly("file");
    }

    @Test
    void aFullDiskLeavesTheOldFileAndNamesIt() throws IOException {
        Path file = folder.resolve("file");
        AtomicFiles.writeString(file, "old");
        assertThatThrownBy(() -> AtomicFiles.writeStream(file, out -> {
                    out.write('n');
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(FileSystemException.class)
                .hasMessage(file + ": can't be written: No space left on device");
        assertThat(file).hasContent("old");
        assertThat(names()).containsExactly("file");
    }

    @Test
    void aFolderThatFailsLeavesNothing() throws IOException {
        Path target = folder.resolve("target");
        assertThatThrownBy(() -> AtomicFiles.writeFolder(target, temporary -> {
                    Files.writeString(temporary.resolve("one"), "1");
                    Files.createDirectory(temporary.resolve("none/two"));
                }))
                .isInstanceOf(FileSystemException.class)
                .hasMessage(target + ": can't be written: no such file or folder");
        assertThat(names()).isEmpty();
    }

    /** What can't be read is another file. */
    @Test
    void aMissingSourceKeepsItsName() {
        Path source = folder.resolve("source");
        assertThatThrownBy(() -> AtomicFiles.writeFile(folder.resolve("target"), path -> Files.copy(source, path)))
                .isInstanceOf(FileSystemException.class)
                .hasMessageStartingWith(source.toString());
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aTargetBelowAFileIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "old");
        assertThatThrownBy(() -> AtomicFiles.writeString(file.resolve("below"), "new"))
                .isInstanceOf(IOException.class);
        assertThat(file).hasContent("old");
    }
}
