package org.fedlora4j.model;

import java.util.Arrays;

/** Continues texts token by token, each row until it ends. */
final class Generator {
    private Generator() {}

    /** The new tokens, [rows][new tokens of the row]. */
    static int[][] generate(LanguageModel model, Adapter adapter, GenerationRequest request) {
        TokenBatch prompts = TokenBatch.of(request.prompts());
        try (Decoder decoder = Decoder.of(model, adapter, prompts, request.maxNewTokens())) {
            return generate(request, decoder);
        }
    }

    /** The same by a decoder of the prompts, which has not started. */
    static int[][] generate(GenerationRequest request, Decoder decoder) {
        Sampler[] samplers = new Sampler[request.prompts().length];
        int[] running = new int[samplers.length];
        for (int row = 0; row < samplers.length; row++) {
            samplers[row] = new Sampler(request.sampling(), row);
            running[row] = row;
        }
        int[][] generated = new int[samplers.length][request.maxNewTokens()];
        int[] lengths = new int[samplers.length];
        float[][] logits = decoder.start();
        for (int step = 1; ; step++) {
            int[] stillRunning = new int[running.length];
            int[] tokens = new int[running.length];
            int count = 0;
            for (int i = 0; i < running.length; i++) {
                int row = running[i];
                int token = samplers[row].next(logits[i]);
                if (!request.stopIds().contains(token)) {
                    generated[row][lengths[row]++] = token;
                    if (request.listener().next(row, token)) {
                        stillRunning[count] = row;
                        tokens[count++] = token;
                    }
                }
            }
            if (count == 0 || step == request.maxNewTokens()) {
                break;
            }
            running = Arrays.copyOf(stillRunning, count);
            logits = decoder.next(running, Arrays.copyOf(tokens, count));
        }
        for (int row = 0; row < generated.length; row++) {
            generated[row] = Arrays.copyOf(generated[row], lengths[row]);
        }
        return generated;
    }
}
