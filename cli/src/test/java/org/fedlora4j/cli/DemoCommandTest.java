package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class DemoCommandTest {
    @Test
    void refusesAFolderThatExists(@TempDir Path folder) {
        StringWriter err = new StringWriter();
        CommandLine commandLine = Main.commandLine().setErr(new PrintWriter(err));
        assertThat(Main.run(commandLine, "demo", "--output", folder.toString())).isEqualTo(2);
        assertThat(err.toString())
                .isEqualToIgnoringNewLines("fedlora: --output " + folder + ": exists, wanted a folder to create");
        assertThat(folder).isEmptyDirectory();
    }
}
