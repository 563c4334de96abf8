package org.fedlora4j.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class FileProblemsTest {
    @Test
    void everyFailureHasAReason() {
        assertThat(FileProblems.describe(new NoSuchFileException("a"))).isEqualTo("a: no such file or folder");
        assertThat(FileProblems.describe(new AccessDeniedException("a"))).isEqualTo("a: permission denied");
        assertThat(FileProblems.describe(new FileAlreadyExistsException("a"))).isEqualTo("a: a file is in the way");
        assertThat(FileProblems.describe(new FileSystemException("a", null, "Read-only file system")))
                .isEqualTo("a: Read-only file system");
        assertThat(FileProblems.describe(new IOException("cut off"))).isEqualTo("cut off");
        assertThat(FileProblems.describe(new EOFException())).isEqualTo("EOFException");
    }
}
