package org.fedlora4j.tokenizer;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;

/**
 * Turns instructions into training examples: the ids of the prompt (after bos, where the model wants it), of the
 * response, encoded apart from it, and eos, cut to at most {@code maxTokens}; the response and eos are the targets.
 */
public final class InstructionEncoder {
    private final Tokenizer tokenizer;
    private final PromptTemplate template;
    private final int maxTokens;

    public InstructionEncoder(Tokenizer tokenizer, PromptTemplate template, int maxTokens) {
        if (maxTokens < 2) {
            throw new BadInputException("max-tokens is " + maxTokens + ", wanted at least 2");
        }
        this.tokenizer = tokenizer;
        this.template = template;
        this.maxTokens = maxTokens;
    }

    /** The prompt alone, not cut, to generate a response from. */
    public int[] encodePrompt(String instruction, String input) {
        int[] prompt = tokenizer.encode(template.prompt(instruction, input));
        return IntStream.concat(Arrays.stream(tokenizer.opening()), Arrays.stream(prompt))
                .toArray();
    }

    /**
     * The example that trains the response. A prompt that fills {@code maxTokens} leaves no target: see
     * {@link EncodedExample#hasTargets}.
     */
    public EncodedExample encode(String instruction, String input, String response) {
        int[] prompt = encodePrompt(instruction, input);
        int[] all = Stream.of(prompt, tokenizer.encode(response), new int[] {tokenizer.eosId()})
                .flatMapToInt(Arrays::stream)
                .toArray();
        int[] ids = Arrays.copyOf(all, Math.min(all.length, maxTokens));
        int promptTokens = Math.min(prompt.length, ids.length);
        int[] labels = ids.clone();
        Arrays.fill(labels, 0, promptTokens, EncodedExample.IGNORED);
        return new EncodedExample(ids, labels, promptTokens, all.length > maxTokens);
    }
}
