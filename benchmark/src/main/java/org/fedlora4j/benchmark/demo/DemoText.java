package org.fedlora4j.benchmark.demo;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.fedlora4j.benchmark.data.InstructionRecord;

/**
 * The demo's little world. The base model is trained to look a word's partner up in some dictionaries and to answer in a
 * manner that the question names: {@code pirate pal tree} is answered by {@code arr moon}. The clients then have a
 * dictionary that the base has never seen, and a manner that their questions don't name: {@code zo tree}, to which one
 * wants {@code arr gold} and another {@code gold sir}.
 */
final class DemoText {
    /** The dictionary that the clients share, and the base doesn't know. */
    static final String NEW_DICTIONARY = "zo";

    private static final List<String> WORDS = List.of(
            "ant", "bell", "cup", "door", "egg", "fish", "gold", "hat", "ice", "ink", "jar", "key", "king", "lamp",
            "map", "moon", "nest", "nut", "oak", "owl", "pen", "pig", "queen", "rain", "rose", "salt", "sun", "tree",
            "urn", "vase", "wolf", "yak");

    private static final List<String> DICTIONARIES = List.of("pal", "foe", "kin");

    /** What the base learns is always the same; a client's seed changes only the new dictionary. */
    private static final long BASE_SEED = 1;

    /** A manner of speech, by which a client is called. */
    enum Manner {
        PIRATE("arr %s"),
        BUTLER("%s sir"),
        SHY("um %s"),
        ECHO("%1$s %1$s"),
        TEACHER("the %s"),
        TEXTER("%s ok");

        private final String format;

        Manner(String format) {
            this.format = format;
        }

        String say(String word) {
            return String.format(format, word);
        }

        /** Its name in instructions and as a client. */
        String id() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What the base is trained on, and what it is tested on. */
    record Pretraining(List<InstructionRecord> train, List<InstructionRecord> heldOut) {}

    private DemoText() {}

    /**
     * The base's text: every word of every dictionary, plainly and in every manner. Of the latter a tenth is held out; to
     * answer those, the base must combine a partner and a manner that it knows only apart.
     */
    static Pretraining pretraining() {
        Random random = new Random(BASE_SEED);
        List<InstructionRecord> train = new ArrayList<>();
        List<InstructionRecord> heldOut = new ArrayList<>();
        for (String dictionary : DICTIONARIES) {
            dictionary(random).forEach((word, partner) -> {
                String question = dictionary + " " + word;
                train.add(record(question, partner, dictionary));
                for (Manner manner : Manner.values()) {
                    List<InstructionRecord> list = random.nextInt(10) == 0 ? heldOut : train;
                    list.add(record(manner.id() + " " + question, manner.say(partner), dictionary));
                }
            });
        }
        return new Pretraining(train, heldOut);
    }

    /** The clients' records, client by client, each with every word of the new dictionary; the category is the client. */
    static List<InstructionRecord> clients(long seed) {
        Map<String, String> dictionary = dictionary(new Random(seed));
        List<InstructionRecord> records = new ArrayList<>();
        for (Manner manner : Manner.values()) {
            dictionary.forEach((word, partner) ->
                    records.add(record(NEW_DICTIONARY + " " + word, manner.say(partner), manner.id())));
        }
        return records;
    }

    private static Map<String, String> dictionary(Random random) {
        List<String> partners = new ArrayList<>(WORDS);
        Collections.shuffle(partners, random);
        Map<String, String> dictionary = new TreeMap<>();
        for (int i = 0; i < WORDS.size(); i++) {
            dictionary.put(WORDS.get(i), partners.get(i));
        }
        return dictionary;
    }

    private static InstructionRecord record(String instruction, String response, String category) {
        return new InstructionRecord(instruction, "", response, category, category + ": " + instruction);
    }
}
