package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;

/** Reads a file that holds one JSON object. */
final class JsonFile {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private JsonFile() {}

    /** A text from a file for a message: quoted, on one line, not too long. */
    static String quote(String text) {
        return TextNode.valueOf(text.length() > 60 ? text.substring(0, 60) + "…" : text)
                .toString();
    }

    static ObjectNode read(Path file) throws IOException {
        InputFiles.require(file, "a JSON file");
        JsonNode root;
        try {
            root = MAPPER.readTree(Files.readString(file));
        } catch (CharacterCodingException e) {
            throw new BadInputException(file + ": not UTF-8, wanted a JSON file in UTF-8", e);
        } catch (JacksonException e) {
            throw new BadInputException(
                    file + ": not JSON: "
                            + e.getOriginalMessage().lines().findFirst().orElse("") + " (line "
                            + e.getLocation().getLineNr() + ")",
                    e);
        }
        if (root instanceof ObjectNode object) {
            return object;
        }
        throw new BadInputException(file + ": holds " + root.getNodeType() + ", wanted a JSON object");
    }
}
