package org.fedlora4j.benchmark.metrics;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * ROUGE (Lin 2004, aclanthology.org/W04-1013), equal to Google's {@code rouge_score}: tokens are runs of a-z and 0-9 in
 * the lower-cased text; with stemming, those longer than three characters are stemmed.
 */
public final class Rouge {
    private static final Pattern SEPARATOR = Pattern.compile("[^a-z0-9]+");

    private final boolean stemming;

    /** @param stemming whether inflected forms of a word count as equal (Porter's stemmer, English) */
    public Rouge(boolean stemming) {
        this.stemming = stemming;
    }

    /**
     * A match of prediction and reference.
     *
     * @param precision matched share of the prediction
     * @param recall matched share of the reference
     * @param f1 harmonic mean of both
     */
    public record Score(double precision, double recall, double f1) {

        private static Score of(int matched, int predicted, int wanted) {
            double precision = (double) matched / Math.max(predicted, 1);
            double recall = (double) matched / Math.max(wanted, 1);
            return new Score(precision, recall, matched == 0 ? 0 : 2 * precision * recall / (precision + recall));
        }
    }

    /**
     * The three usual scores.
     *
     * @param rouge1 tokens in common
     * @param rouge2 pairs of neighbouring tokens in common
     * @param rougeL longest common subsequence of tokens, of the whole text
     */
    public record Scores(Score rouge1, Score rouge2, Score rougeL) {}

    /** Compares a prediction with its reference; without tokens in either, all scores are 0. */
    public Scores score(String reference, String prediction) {
        List<String> wanted = tokens(reference);
        List<String> predicted = tokens(prediction);
        return new Scores(
                sharedNgrams(wanted, predicted, 1),
                sharedNgrams(wanted, predicted, 2),
                Score.of(longestCommonSubsequence(wanted, predicted), predicted.size(), wanted.size()));
    }

    private List<String> tokens(String text) {
        return SEPARATOR
                .splitAsStream(text.toLowerCase(Locale.ROOT))
                .filter(token -> !token.isEmpty())
                .map(token -> stemming && token.length() > 3 ? PorterStemmer.stem(token) : token)
                .toList();
    }

    private static Score sharedNgrams(List<String> wanted, List<String> predicted, int n) {
        Map<List<String>, Integer> wantedCounts = ngramCounts(wanted, n);
        Map<List<String>, Integer> predictedCounts = ngramCounts(predicted, n);
        int matched = predictedCounts.entrySet().stream()
                .mapToInt(ngram -> Math.min(ngram.getValue(), wantedCounts.getOrDefault(ngram.getKey(), 0)))
                .sum();
        return Score.of(matched, predicted.size() - n + 1, wanted.size() - n + 1);
    }

    private static Map<List<String>, Integer> ngramCounts(List<String> tokens, int n) {
        return IntStream.rangeClosed(0, tokens.size() - n)
                .mapToObj(start -> tokens.subList(start, start + n))
                .collect(Collectors.toMap(ngram -> ngram, ngram -> 1, Integer::sum, HashMap::new));
    }

    /** Row by row of the usual table, O(wanted x predicted) time. */
    private static int longestCommonSubsequence(List<String> wanted, List<String> predicted) {
        int[] row = new int[predicted.size() + 1];
        for (String token : wanted) {
            int[] above = row;
            row = Arrays.copyOf(above, above.length);
            for (int j = 1; j < row.length; j++) {
                row[j] = token.equals(predicted.get(j - 1)) ? above[j - 1] + 1 : Math.max(above[j], row[j - 1]);
            }
        }
        return row[predicted.size()];
    }
}
