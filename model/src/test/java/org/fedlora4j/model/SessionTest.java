package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.fedlora4j.model.config.LlamaConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SessionTest {
    private static final LlamaConfig CONFIG = TinyModel.config(3, 4, 2);

    private final Random random = new Random(9);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    /** Turn by turn, the same as when each prompt is run anew. */
    @Test
    void whatIsKeptMakesNoDifference() throws IOException {
        TinyModel.write(folder, CONFIG, random);
        try (LanguageModel model = LanguageModel.open(folder);
                LowRankAdapter adapter = new LowRankAdapter(CONFIG, random);
                AdaptedModel adapted = model.with(adapter);
                Session session = adapted.session()) {
            int[] text = random.ints(5, 0, 50).toArray();
            for (int turn = 0; turn < 4; turn++) {
                text = continued(adapted, session, text, 7);
                text = with(text, random.ints(20, 0, 50).toArray());
            }
            // Another beginning, a text that is known whole, and one that is shorter.
            text[3] = (text[3] + 1) % 50;
            text = continued(adapted, session, text, 3);
            continued(adapted, session, text, 1);
            continued(adapted, session, Arrays.copyOf(text, 10), 30);
            continued(adapted, session, new int[] {7}, 2);
        }
    }

    @Test
    void aRowThatEndsInTheMiddleIsContinued() throws IOException {
        TinyModel.write(folder, CONFIG, random);
        try (LanguageModel model = LanguageModel.open(folder);
                AdaptedModel plain = model.with(Adapter.NONE);
                Session session = plain.session()) {
            int[] prompt = {1, 2, 3};
            int[] whole = continued(plain, session, prompt, 12);
            int stop = whole[8];
            int[] cut = session.generate(GenerationRequest.greedy(new int[][] {prompt}, 12, Set.of(stop)));
            assertThat(cut).doesNotContain(stop);
            int[] seen = {0};
            session.generate(new GenerationRequest(
                    new int[][] {with(prompt, cut)}, 9, Set.of(), Sampling.GREEDY, (row, token) -> ++seen[0] < 2));
            continued(plain, session, with(with(prompt, cut), 4, 5), 9);
            assertThatThrownBy(() -> session.generate(GenerationRequest.greedy(new int[2][1], 1, Set.of())))
                    .hasMessage("2 rows in a session; wanted one");
        }
    }

    private static int[] continued(AdaptedModel model, Session session, int[] text, int newTokens) {
        GenerationRequest request = GenerationRequest.greedy(new int[][] {text}, newTokens, Set.of());
        int[] generated = session.generate(request);
        assertThat(generated).isEqualTo(model.generate(request)[0]);
        return with(text, generated);
    }

    private static int[] with(int[] text, int... more) {
        return IntStream.concat(Arrays.stream(text), Arrays.stream(more)).toArray();
    }
}
