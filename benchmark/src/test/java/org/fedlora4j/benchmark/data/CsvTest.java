package org.fedlora4j.benchmark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CsvTest {
    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("data.csv");
    }

    @Test
    void readsQuotedLineEndsAndAByteOrderMark() throws IOException {
        Files.writeString(file, "\ufeffid,instruction,\"output\"\r\n,\"a\r\nb\",\"say \"\"c\"\"\"\r\n\r\nx,ü,€ 😀");
        assertThat(InstructionData.read(file))
                .containsExactly(
                        new InstructionRecord("a\r\nb", "", "say \"c\"", "", "data.csv:2"),
                        new InstructionRecord("ü", "", "€ 😀", "", "x"));
    }

    @Test
    void skipsLinesThatAreNotSound() throws IOException {
        byte[] bytes = "instruction,output\na\n\"b\nb\",c,d\n\u00e4,e\nf,\ng,h\n".getBytes(StandardCharsets.ISO_8859_1);
        Files.write(file, bytes);
        List<String> skipped = new ArrayList<>();
        assertThat(InstructionData.read(file, FieldNames.USUAL, problem -> skipped.add(problem.getMessage())))
                .containsExactly(new InstructionRecord("g", "", "h", "", "data.csv:7"));
        assertThat(skipped)
                .containsExactly(
                        file + " line 2: 1 fields, wanted 2, as in the header",
                        file + " line 3: 3 fields, wanted 2, as in the header",
                        file + " line 5: not UTF-8",
                        file + " line 6: output is empty, wanted a text");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            instruction,output,instruction\\na,b,c    | line 1: two columns named instruction
            instruction,,output\\na,b,c               | line 1: a column without a name
            instruction,output\\na,b\\n"c,d\\ne,f\\n  | line 3: Unclosed quoted field
            instruction,output\\na,b\\n"c"d,e         | line 3: Unexpected character after closing quote
            instruction;output\\na;b                  | line 2: no instruction, wanted one beside instruction;output
            instruction,output                        | no records
            """)
    void refusesTheRestAfterWhatIsNoTable(String csv, String problem) throws IOException {
        Files.writeString(file, csv.replace("\\n", "\n"));
        List<BadInputException> skipped = new ArrayList<>();
        assertThatThrownBy(() -> InstructionData.read(file, FieldNames.USUAL, skipped::add))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(problem)
                .hasMessageNotContaining("\n");
    }

    @Test
    void refusesAQuoteWithoutAnEndBeforeItFillsTheMemory() throws IOException {
        Files.writeString(file, "instruction,output\na,\"" + "b\n".repeat(RecordIntake.MAX_RECORD_BYTES));
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(file + " line 2: ");
        Files.writeString(file, "instruction,output\n" + ",".repeat(100_000));
        assertThatThrownBy(() -> InstructionData.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("line 2 has surpassed the maximum limit of 16384 fields");
    }
}
