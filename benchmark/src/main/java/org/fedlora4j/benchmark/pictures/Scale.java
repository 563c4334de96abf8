package org.fedlora4j.benchmark.pictures;

import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;

/**
 * An axis whose ends and ticks are round numbers.
 *
 * @param least where it begins; of a logarithmic one the power of ten
 * @param step between ticks, likewise
 */
record Scale(double least, double most, double step, boolean logarithmic) {
    private static final int STEPS = 5;
    private static final double ROUNDING = 1e-9;

    static Scale linear(double least, double most) {
        double range = most > least ? most - least : Math.max(1e-3, Math.abs(least) / 10);
        double power = Math.pow(10, Math.floor(Math.log10(range / STEPS)));
        double ratio = range / STEPS / power;
        double step = power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
        return new Scale(
                Math.floor(least / step + ROUNDING) * step,
                Math.ceil((least + range) / step - ROUNDING) * step,
                step,
                false);
    }

    /** @param least above 0 */
    static Scale logarithmic(double least, double most) {
        double first = Math.floor(Math.log10(least) + ROUNDING);
        double last = Math.ceil(Math.log10(most) - ROUNDING);
        return new Scale(first, Math.max(first + 1, last), 1, true);
    }

    /** The values at which there are ticks. */
    List<Double> ticks() {
        return LongStream.rangeClosed(0, Math.round((most - least) / step))
                .mapToObj(i -> least + i * step)
                .map(tick -> logarithmic ? Math.pow(10, tick) : tick)
                .toList();
    }

    /** Where a value is, from 0 at the beginning to 1 at the end. */
    double share(double value) {
        return ((logarithmic ? Math.log10(value) : value) - least) / (most - least);
    }

    String format(double tick) {
        if (logarithmic) {
            return "1e" + Math.round(Math.log10(tick));
        }
        int digits = (int) Math.max(0, -Math.floor(Math.log10(step) + ROUNDING));
        return String.format(Locale.ROOT, "%." + digits + "f", tick);
    }
}
