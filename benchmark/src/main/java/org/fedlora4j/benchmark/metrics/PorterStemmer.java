package org.fedlora4j.benchmark.metrics;

import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Porter's stemmer for English words in lower case (Porter 1980, "An algorithm for suffix stripping", Program 14:130)
 * with the departures of NLTK's default mode, which {@code rouge_score} uses: a list of irregular forms, words of up to
 * two letters untouched, and the rules marked NLTK below. The Java libraries (Lucene, OpenNLP, Snowball) lack these and
 * give other scores.
 *
 * <p>The paper's terms: a y after a consonant is a vowel; the measure of a stem is how often a consonant follows a vowel.
 */
final class PorterStemmer {
    private static final Map<String, String> IRREGULAR = Map.ofEntries(
            Map.entry("skies", "sky"),
            Map.entry("sky", "sky"),
            Map.entry("dying", "die"),
            Map.entry("lying", "lie"),
            Map.entry("tying", "tie"),
            Map.entry("news", "news"),
            Map.entry("innings", "inning"),
            Map.entry("inning", "inning"),
            Map.entry("outings", "outing"),
            Map.entry("outing", "outing"),
            Map.entry("cannings", "canning"),
            Map.entry("canning", "canning"),
            Map.entry("howe", "howe"),
            Map.entry("proceed", "proceed"),
            Map.entry("exceed", "exceed"),
            Map.entry("succeed", "succeed"));

    private record Rule(String suffix, String replacement) {}

    private static final List<Rule> STEP_1A =
            List.of(new Rule("sses", "ss"), new Rule("ies", "i"), new Rule("ss", "ss"), new Rule("s", ""));

    private static final List<Rule> STEP_2 = List.of(
            new Rule("ational", "ate"),
            new Rule("tional", "tion"),
            new Rule("enci", "ence"),
            new Rule("anci", "ance"),
            new Rule("izer", "ize"),
            new Rule("bli", "ble"),
            new Rule("entli", "ent"),
            new Rule("eli", "e"),
            new Rule("ousli", "ous"),
            new Rule("ization", "ize"),
            new Rule("ation", "ate"),
            new Rule("ator", "ate"),
            new Rule("alism", "al"),
            new Rule("iveness", "ive"),
            new Rule("fulness", "ful"),
            new Rule("ousness", "ous"),
            new Rule("aliti", "al"),
            new Rule("iviti", "ive"),
            new Rule("biliti", "ble"),
            new Rule("fulli", "ful")); // NLTK

    private static final List<Rule> STEP_3 = List.of(
            new Rule("icate", "ic"),
            new Rule("ative", ""),
            new Rule("alize", "al"),
            new Rule("iciti", "ic"),
            new Rule("ical", "ic"),
            new Rule("ful", ""),
            new Rule("ness", ""));

    private static final List<Rule> STEP_4 = List.of(
            new Rule("al", ""),
            new Rule("ance", ""),
            new Rule("ence", ""),
            new Rule("er", ""),
            new Rule("ic", ""),
            new Rule("able", ""),
            new Rule("ible", ""),
            new Rule("ant", ""),
            new Rule("ement", ""),
            new Rule("ment", ""),
            new Rule("ent", ""),
            new Rule("ou", ""),
            new Rule("ism", ""),
            new Rule("ate", ""),
            new Rule("iti", ""),
            new Rule("ous", ""),
            new Rule("ive", ""),
            new Rule("ize", ""));

    private PorterStemmer() {}

    static String stem(String word) {
        String irregular = IRREGULAR.get(word);
        if (irregular != null) {
            return irregular;
        }
        return word.length() <= 2 ? word : step5(step4(step3(step2(step1c(step1b(step1a(word)))))));
    }

    /** Plurals. */
    private static String step1a(String word) {
        if (word.endsWith("ies") && word.length() == 4) {
            return cut(word, 1); // NLTK: dies -> die
        }
        return replace(word, STEP_1A, anyMeasure -> true);
    }

    /** Past tenses and participles. */
    private static String step1b(String word) {
        if (word.endsWith("ied")) {
            return cut(word, word.length() == 4 ? 1 : 2); // NLTK: died -> die, tried -> tri
        }
        if (word.endsWith("eed")) {
            return measure(cut(word, 3)) > 0 ? cut(word, 1) : word;
        }
        int suffix = word.endsWith("ed") ? 2 : word.endsWith("ing") ? 3 : 0;
        String stem = cut(word, suffix);
        if (suffix == 0 || !containsVowel(stem)) {
            return word;
        }
        if (stem.endsWith("at") || stem.endsWith("bl") || stem.endsWith("iz")) {
            return stem + "e";
        }
        if (endsWithDoubleConsonant(stem)) {
            return "lsz".indexOf(stem.charAt(stem.length() - 1)) >= 0 ? stem : cut(stem, 1);
        }
        return measure(stem) == 1 && endsWithShortSyllable(stem) ? stem + "e" : stem;
    }

    /** NLTK: a final y after a consonant that isn't the first letter; Porter: after any vowel. */
    private static String step1c(String word) {
        int last = word.length() - 1;
        boolean applies = word.endsWith("y") && last > 1 && !vowels(word)[last - 1];
        return applies ? cut(word, 1) + "i" : word;
    }

    private static String step2(String word) {
        if (word.endsWith("alli")) {
            // NLTK: the result goes through this step again.
            return measure(cut(word, 4)) > 0 ? step2(cut(word, 2)) : word;
        }
        if (word.endsWith("logi")) {
            return measure(cut(word, 3)) > 0 ? cut(word, 1) : word; // NLTK: l counts as part of the stem
        }
        return replace(word, STEP_2, measure -> measure > 0);
    }

    private static String step3(String word) {
        return replace(word, STEP_3, measure -> measure > 0);
    }

    private static String step4(String word) {
        if (word.endsWith("ion")) {
            String stem = cut(word, 3);
            return measure(stem) > 1 && (stem.endsWith("s") || stem.endsWith("t")) ? stem : word;
        }
        return replace(word, STEP_4, measure -> measure > 1);
    }

    /** A final e and a double l. */
    private static String step5(String word) {
        if (word.endsWith("e")) {
            String stem = cut(word, 1);
            int measure = measure(stem);
            if (measure > 1 || (measure == 1 && !endsWithShortSyllable(stem))) {
                word = stem;
            }
        }
        return word.endsWith("ll") && measure(cut(word, 1)) > 1 ? cut(word, 1) : word;
    }

    /** Applies the first rule whose suffix the word has, if the measure of what precedes the suffix allows. */
    private static String replace(String word, List<Rule> rules, IntPredicate measure) {
        for (Rule rule : rules) {
            if (word.endsWith(rule.suffix)) {
                String stem = cut(word, rule.suffix.length());
                return measure.test(measure(stem)) ? stem + rule.replacement : word;
            }
        }
        return word;
    }

    private static String cut(String word, int letters) {
        return word.substring(0, word.length() - letters);
    }

    private static int measure(String stem) {
        boolean[] vowels = vowels(stem);
        return (int) IntStream.range(1, vowels.length)
                .filter(i -> vowels[i - 1] && !vowels[i])
                .count();
    }

    private static boolean containsVowel(String stem) {
        boolean[] vowels = vowels(stem);
        return IntStream.range(0, vowels.length).anyMatch(i -> vowels[i]);
    }

    private static boolean endsWithDoubleConsonant(String stem) {
        int last = stem.length() - 1;
        return last > 0 && stem.charAt(last) == stem.charAt(last - 1) && !vowels(stem)[last];
    }

    /** Consonant, vowel, consonant other than w, x and y; NLTK: or nothing but vowel and consonant. */
    private static boolean endsWithShortSyllable(String stem) {
        boolean[] vowels = vowels(stem);
        int last = stem.length() - 1;
        if (last < 1 || vowels[last] || !vowels[last - 1]) {
            return false;
        }
        return last == 1 || (!vowels[last - 2] && "wxy".indexOf(stem.charAt(last)) < 0);
    }

    private static boolean[] vowels(String word) {
        boolean[] vowels = new boolean[word.length()];
        for (int i = 0; i < vowels.length; i++) {
            boolean afterConsonant = i > 0 && !vowels[i - 1];
            vowels[i] = "aeiou".indexOf(word.charAt(i)) >= 0 || (word.charAt(i) == 'y' && afterConsonant);
        }
        return vowels;
    }
}
