package org.fedlora4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.lora.TrainableAdapter;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.GenerationRequest;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Session;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.tokenizer.ChatTemplate;
import org.fedlora4j.tokenizer.TextStream;
import org.fedlora4j.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;

/** A model with its tokenizer and, where one is named, an adapter: texts in, texts out. */
final class TextModel implements AutoCloseable {
    private final ReadableModel readable;
    private final Tokenizer tokenizer;
    private final LanguageModel model;
    private final @Nullable TrainableAdapter adapter;
    private final AdaptedModel adapted;
    private final Session session;

    private TextModel(
            ReadableModel readable, Tokenizer tokenizer, LanguageModel model, @Nullable TrainableAdapter adapter) {
        this.readable = readable;
        this.tokenizer = tokenizer;
        this.model = model;
        this.adapter = adapter;
        this.adapted = model.with(adapter == null ? Adapter.NONE : adapter);
        this.session = adapted.session();
    }

    static TextModel open(Path source, Optional<Path> adapterFolder, Precision precision) throws IOException {
        ReadableModel readable = ReadableModel.of(source, Progress.onStderr());
        Tokenizer tokenizer = null;
        LanguageModel model = null;
        try {
            tokenizer = Tokenizer.open(readable.folder());
            model = LanguageModel.open(readable.folder(), LanguageModel.Settings.DEFAULT.withPrecision(precision));
            if (adapterFolder.isEmpty()) {
                return new TextModel(readable, tokenizer, model, null);
            }
            AdapterState state = PeftAdapter.read(adapterFolder.get(), model.config());
            // Whole matrices, so the axis has no effect.
            TrainableAdapter adapter =
                    new TrainableAdapter(model.config(), state.config(), Set.of(), MagnitudeAxis.ROW);
            adapter.load(state);
            return new TextModel(readable, tokenizer, model, adapter);
        } catch (IOException | RuntimeException e) {
            if (model != null) {
                model.close();
            }
            if (tokenizer != null) {
                tokenizer.close();
            }
            readable.close();
            throw e;
        }
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    Optional<ChatTemplate> chatTemplate() throws IOException {
        return ChatTemplate.read(readable.folder());
    }

    /** The same where there must be one. */
    ChatTemplate requireChatTemplate() throws IOException {
        return chatTemplate()
                .orElseThrow(() -> new BadInputException(readable.folder()
                        + ": no chat_template.jinja and no chat_template in tokenizer_config.json, wanted a model that is "
                        + "made for conversations"));
    }

    /** The longest text that the model was made for, in tokens. */
    int maxTokens() {
        return model.config().maxPositions();
    }

    /**
     * Continues a text, up to the length that the model was made for.
     *
     * @param shown gets the text as it grows
     */
    Generated generate(int[] prompt, GenerationOptions options, Consumer<String> shown) {
        int room = maxTokens() - prompt.length;
        if (room < 1) {
            throw new BadInputException(
                    "the prompt has " + prompt.length + " tokens, wanted less than the model's " + maxTokens());
        }
        int maxNewTokens = Math.min(options.maxNewTokens(), room);
        TextStream stream = options.stream(tokenizer);
        StringBuilder text = new StringBuilder();
        long begin = System.nanoTime();
        long[] first = {begin};
        int[] count = {0};
        int[] tokens = session.generate(new GenerationRequest(
                new int[][] {prompt}, maxNewTokens, tokenizer.endIds(), options.sampling(), (row, token) -> {
                    if (count[0]++ == 0) {
                        first[0] = System.nanoTime();
                    }
                    show(stream.next(token), text, shown);
                    return !stream.isStopped();
                }));
        show(stream.end(), text, shown);
        Generated.Finish finish = stream.isStopped()
                ? Generated.Finish.STOP
                : tokens.length == maxNewTokens ? Generated.Finish.LENGTH : Generated.Finish.END;
        long end = System.nanoTime();
        return new Generated(
                text.toString(),
                prompt.length,
                tokens.length,
                finish,
                (first[0] - begin) / 1e9,
                (end - first[0]) / 1e9);
    }

    private static void show(String piece, StringBuilder text, Consumer<String> shown) {
        text.append(piece);
        shown.accept(piece);
    }

    @Override
    public void close() throws IOException {
        session.close();
        adapted.close();
        if (adapter != null) {
            adapter.close();
        }
        model.close();
        tokenizer.close();
        readable.close();
    }
}
