package org.fedlora4j.tokenizer;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.fedlora4j.common.BadInputException;

/**
 * A generated text as it grows, token by token. What comes out can be shown at once: a character whose bytes are spread over
 * tokens comes when it is complete, and what may be the beginning of a stop text when it turns out not to be one. The
 * stop text itself never comes.
 */
public final class TextStream {
    /** What decoding makes of bytes that are no character, or not yet. */
    private static final String BROKEN = "\uFFFD";

    private final Tokenizer tokenizer;
    private final List<String> stops;

    private int[] ids = new int[16];
    private int count;
    /** Ids before this are not decoded again; those up to {@code taken} are for their effect on the next ones only. */
    private int begin;

    private int taken;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    /**
     * An empty text.
     *
     * @param stops texts that end it, none empty
     */
    public TextStream(Tokenizer tokenizer, Collection<String> stops) {
        if (stops.contains("")) {
            throw new BadInputException("stop: an empty text, wanted at least one character");
        }
        this.tokenizer = tokenizer;
        this.stops = List.copyOf(stops);
    }

    /**
     * Takes the next token.
     *
     * @return what can be shown now, often nothing
     */
    public String next(int id) {
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, 2 * count);
        }
        ids[count++] = id;
        String text = decode(begin, count);
        return text.endsWith(BROKEN) ? "" : take(text);
    }

    /** Ends the text: what was held back. */
    public String end() {
        String shown = take(decode(begin, count)) + held;
        held.setLength(0);
        return shown;
    }

    /** Whether a stop text has come. */
    public boolean isStopped() {
        return stopped;
    }

    /** Takes the characters that the ids since {@code taken} add. */
    private String take(String text) {
        // Decoded together with the ids before them, since a text's first token may lose its blank.
        String added =
                text.substring(Math.min(text.length(), decode(begin, taken).length()));
        begin = taken;
        taken = count;
        if (stopped) {
            return "";
        }
        held.append(added);
        int stop = stops.stream()
                .mapToInt(held::indexOf)
                .filter(at -> at >= 0)
                .min()
                .orElse(-1);
        stopped = stop >= 0;
        int shown = stopped ? stop : held.length() - openStop();
        String result = held.substring(0, shown);
        held.delete(0, stopped ? held.length() : shown);
        return result;
    }

    /** The length of the longest end of the held text that begins a stop text. */
    private int openStop() {
        for (int at = 0; at < held.length(); at++) {
            String end = held.substring(at);
            if (stops.stream().anyMatch(stop -> stop.startsWith(end))) {
                return end.length();
            }
        }
        return 0;
    }

    private String decode(int from, int to) {
        return tokenizer.decode(Arrays.copyOfRange(ids, from, to));
    }
}
