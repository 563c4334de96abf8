package org.fedlora4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.fedlora4j.common.BadInputException;

/** Broken copies of a tokenizer's file: a tokenizer opens and encodes, or refuses with one line. */
final class Hostile {
    private Hostile() {}

    /** Cuts the file after each of its bytes and returns how many of the prefixes opened. */
    static int prefixesThatOpen(Path folder, String name) throws IOException {
        byte[] whole = Files.readAllBytes(folder.resolve(name));
        int opened = 0;
        for (int length = 0; length < whole.length; length++) {
            opened += opens(folder, name, Arrays.copyOf(whole, length), "the first " + length + " bytes") ? 1 : 0;
        }
        return opened;
    }

    /** Changes one to four bytes, {@code times} times. */
    static void flip(Path folder, String name, int times) throws IOException {
        long seed = 20_261_123;
        System.out.println("Flips of " + name + ", seed " + seed);
        Random random = new Random(seed);
        byte[] whole = Files.readAllBytes(folder.resolve(name));
        for (int i = 0; i < times; i++) {
            byte[] flipped = whole.clone();
            for (int flips = random.nextInt(4); flips >= 0; flips--) {
                flipped[random.nextInt(flipped.length)] ^= (byte) (1 + random.nextInt(255));
            }
            opens(folder, name, flipped, "seed " + seed + ", flip " + i);
        }
    }

    private static boolean opens(Path folder, String name, byte[] bytes, String what) throws IOException {
        Files.write(folder.resolve(name), bytes);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            tokenizer.decode(tokenizer.encodeWithSpecialTokens("abc é <s>d</s>\n"));
            return true;
        } catch (BadInputException e) {
            assertThat(e).as(what).hasMessageContaining(folder.toString()).hasMessageNotContaining("\n");
            return false;
        } catch (RuntimeException e) {
            return fail(what, e);
        }
    }
}
