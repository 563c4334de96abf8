package org.fedlora4j.benchmark.scale;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.math3.stat.regression.OLSMultipleLinearRegression;

/**
 * Seconds of a training step: the sum of what each kind of {@link StepWork} takes by itself.
 *
 * @param secondsPerByte of weights read
 * @param secondsPerProduct operation of products with weights, with all that is done once for each element between them
 * @param secondsPerAttention operation of attention's products, softmax included
 */
public record StepTime(double secondsPerByte, double secondsPerProduct, double secondsPerAttention) {
    /** A step that was timed. */
    public record Timed(StepWork work, double seconds) {}

    public double seconds(StepWork work) {
        return secondsPerByte * work.weightBytes()
                + secondsPerProduct * work.products()
                + secondsPerAttention * work.attention();
    }

    /** The one with the least sum of squared relative errors. Of four steps at least, one more than there are unknowns. */
    public static StepTime fit(List<Timed> steps) {
        double[][] work = new double[steps.size()][];
        double[] ones = new double[steps.size()];
        for (int i = 0; i < work.length; i++) {
            Timed step = steps.get(i);
            // In units of 10^12, for a well-conditioned matrix.
            double unit = 1e12 * step.seconds;
            work[i] = new double[] {
                step.work.weightBytes() / unit, step.work.products() / unit, step.work.attention() / unit
            };
            ones[i] = 1;
        }
        OLSMultipleLinearRegression regression = new OLSMultipleLinearRegression();
        regression.setNoIntercept(true);
        regression.newSampleData(ones, work);
        double[] rates = regression.estimateRegressionParameters();
        return new StepTime(rates[0] / 1e12, rates[1] / 1e12, rates[2] / 1e12);
    }

    /** What the formula says of each step when it is fitted to all the others, four at least. */
    public static List<Double> foretold(List<Timed> steps) {
        List<Double> seconds = new ArrayList<>();
        for (Timed step : steps) {
            List<Timed> others = new ArrayList<>(steps);
            others.remove(step);
            seconds.add(fit(others).seconds(step.work));
        }
        return seconds;
    }
}
