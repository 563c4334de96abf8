package org.fedlora4j.model;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A text that is continued again and again, as in a conversation: what a prompt has in common with the text so far, from
 * the beginning on, is not computed again. The adapter's values must stay as they are.
 */
public final class Session implements AutoCloseable {
    private final LanguageModel model;
    private final Adapter adapter;
    private @Nullable DecodingMemory memory;
    /** The tokens whose keys and values are in the memory. */
    private int[] known = {};

    Session(LanguageModel model, Adapter adapter) {
        this.model = model;
        this.adapter = adapter;
    }

    /**
     * Continues a text.
     *
     * @param request of one row
     * @return the new tokens
     */
    public int[] generate(GenerationRequest request) {
        if (request.prompts().length != 1) {
            throw new IllegalArgumentException(request.prompts().length + " rows in a session; wanted one");
        }
        if (!Decoder.kernelsCan(adapter)) {
            return Generator.generate(model, adapter, request)[0];
        }
        int[] prompt = request.prompts()[0];
        int common = Math.min(common(known, prompt), prompt.length - 1);
        known = Arrays.copyOf(prompt, common);
        memory = withRoom(prompt.length + request.maxNewTokens());
        TokenBatch prompts = TokenBatch.of(request.prompts());
        KernelDecoder decoder = new KernelDecoder(model, adapter, prompts, memory, common);
        int[] generated = Generator.generate(request, decoder)[0];
        int[] text = Arrays.copyOf(prompt, prompt.length + generated.length);
        System.arraycopy(generated, 0, text, prompt.length, generated.length);
        known = Arrays.copyOf(text, decoder.length(0));
        return generated;
    }

    private DecodingMemory withRoom(int slots) {
        if (memory == null) {
            return new DecodingMemory(model.config(), 1, slots);
        }
        return memory.slots() >= slots ? memory : memory.grown(Math.max(slots, 2 * memory.slots()), known.length);
    }

    private static int common(int[] a, int[] b) {
        int mismatch = Arrays.mismatch(a, b);
        return mismatch < 0 ? a.length : mismatch;
    }

    @Override
    public void close() {
        if (memory != null) {
            memory.close();
        }
    }
}
