package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.common.BadInputException;

/**
 * How a conversation becomes the tokens that a chat model continues. A model's own template is a program (Jinja); it is
 * not run, but known by the tokens that it writes. Special tokens stand where the template has them; within what is said
 * they are text like any other.
 *
 * @param format which of the known ones the model's template is
 * @param system what the template puts before a conversation that has no system message
 */
public record ChatTemplate(Format format, Optional<String> system) {
    /** The formats: each message is opened, with its role, and closed. */
    public enum Format {
        /** SmolLM2's. */
        CHATML("<|im_start|>", "<|im_start|>{role}\n", "<|im_end|>\n"),
        /** LLaMA 3's; what later ones tell of dates and tools is left out. */
        LLAMA_3("<|start_header_id|>", "<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>"),
        /** TinyLlama's. */
        ZEPHYR("<|user|>", "<|{role}|>\n", "</s>\n");

        private final String mark;
        private final String opening;
        private final String closing;

        Format(String mark, String opening, String closing) {
            this.mark = mark;
            this.opening = opening;
            this.closing = closing;
        }

        private String open(Role role) {
            return opening.replace("{role}", role.name().toLowerCase(Locale.ROOT));
        }
    }

    /** Who speaks. */
    public enum Role {
        SYSTEM,
        USER,
        ASSISTANT
    }

    /** What somebody says. */
    public record Message(Role role, String content) {}

    /**
     * The template in a model's folder: {@code chat_template.jinja}, or {@code chat_template} in
     * {@code tokenizer_config.json}.
     *
     * @return nothing if there is none, as in a model that is not made for conversations
     * @throws BadInputException if it is of no known format
     */
    public static Optional<ChatTemplate> read(Path modelFolder) throws IOException {
        Path file = modelFolder.resolve("chat_template.jinja");
        if (Files.exists(file)) {
            return Optional.of(of(file, Files.readString(file)));
        }
        Path config = modelFolder.resolve("tokenizer_config.json");
        JsonNode template = Files.exists(config) ? JsonFile.read(config).path("chat_template") : null;
        return template == null || !template.isTextual()
                ? Optional.empty()
                : Optional.of(of(config, template.textValue()));
    }

    /** @param source for messages */
    static ChatTemplate of(Path source, String template) {
        Format format = Arrays.stream(Format.values())
                .filter(known -> template.contains(known.mark))
                .findFirst()
                .orElseThrow(() -> new BadInputException(source + ": a chat template that writes none of "
                        + Arrays.stream(Format.values())
                                .map(known -> known.mark)
                                .toList() + ", wanted one that does"));
        // Its own text, as the template's source has it: no variable, a line's end perhaps escaped.
        String before = format.open(Role.SYSTEM);
        String linesEnd = "\\E(?:\n|\\\\n)\\Q";
        Matcher system = Pattern.compile(Pattern.quote(before).replace("\n", linesEnd) + "([^'\"{}]+)"
                        + Pattern.quote(format.closing.strip()))
                .matcher(template);
        return new ChatTemplate(format, system.find() ? Optional.of(system.group(1)) : Optional.empty());
    }

    /** The ids of a conversation up to where the assistant's next message begins. */
    public int[] encode(Tokenizer tokenizer, List<Message> conversation) {
        List<Message> messages = new ArrayList<>(conversation);
        if (system.isPresent() && (messages.isEmpty() || messages.get(0).role != Role.SYSTEM)) {
            messages.add(0, new Message(Role.SYSTEM, system.get()));
        }
        List<Tokenizer.Piece> pieces = new ArrayList<>();
        for (Message message : messages) {
            pieces.add(new Tokenizer.Piece(format.open(message.role), true));
            pieces.add(new Tokenizer.Piece(message.content, false));
            pieces.add(new Tokenizer.Piece(format.closing, true));
        }
        pieces.add(new Tokenizer.Piece(format.open(Role.ASSISTANT), true));
        return tokenizer.encodeWithSpecialTokens(pieces);
    }
}
