package org.fedlora4j.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.tokenizer.ChatTemplate;
import org.fedlora4j.tokenizer.ChatTemplate.Message;
import org.fedlora4j.tokenizer.ChatTemplate.Role;
import org.jspecify.annotations.Nullable;

/** What has been said, as far as the model's length permits. */
final class Conversation {
    private final TextModel model;
    private final ChatTemplate template;
    private final GenerationOptions options;
    private final List<Message> messages = new ArrayList<>();
    /** Messages that are never forgotten: the system's, if there is one. */
    private final int kept;

    Conversation(TextModel model, ChatTemplate template, GenerationOptions options, @Nullable String system) {
        this.model = model;
        this.template = template;
        this.options = options;
        if (system != null) {
            messages.add(new Message(Role.SYSTEM, system));
        }
        kept = messages.size();
    }

    /**
     * Forgets the oldest questions, each with its answer, until there is room for an answer to the next one.
     *
     * @return how many were forgotten
     * @throws BadInputException if the question alone is too long; it is as if it had not been asked
     */
    int ask(String question) {
        messages.add(new Message(Role.USER, question));
        int room = Math.min(options.maxNewTokens(), model.maxTokens() / 2);
        int forgotten = 0;
        for (int tokens = tokens(); tokens + room > model.maxTokens(); tokens = tokens()) {
            if (messages.size() == kept + 1) {
                messages.remove(kept);
                throw new BadInputException("with its template the message has " + tokens + " tokens, wanted at most "
                        + (model.maxTokens() - room));
            }
            messages.subList(kept, kept + 2).clear();
            forgotten++;
        }
        return forgotten;
    }

    /**
     * The model's answer to the last question.
     *
     * @param shown gets the answer as it grows
     */
    Generated answer(Consumer<String> shown) {
        Generated answer = model.generate(template.encode(model.tokenizer(), messages), options, shown);
        messages.add(new Message(Role.ASSISTANT, answer.text()));
        return answer;
    }

    private int tokens() {
        return template.encode(model.tokenizer(), messages).length;
    }
}
