package org.fedlora4j.benchmark.synthetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.apache.commons.math3.stat.descriptive.moment.Mean;
import org.apache.commons.math3.stat.descriptive.moment.StandardDeviation;
import org.apache.commons.math3.stat.inference.KolmogorovSmirnovTest;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;
import org.junit.jupiter.api.Test;

class NormalValuesTest {
    private static final int COUNT = 300_000;

    private static double[] values(NormalValues normal, String tensor, ElementType type, int count) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        normal.write(tensor, count, out);
        assertThat(out.size()).isEqualTo(2 * count);
        float[] floats = new float[count];
        Elements.decode(ByteBuffer.wrap(out.toByteArray()), type, floats);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = floats[i];
        }
        return values;
    }

    /** Of 300,000 values the mean is off by 0.02 / sqrt(300,000) = 3.7e-5, the deviation by 2.6e-5; each within 5 times that. */
    @Test
    void meanAndDeviationAreThoseAskedFor() throws IOException {
        for (ElementType type : new ElementType[] {ElementType.F16, ElementType.BF16}) {
            double[] values = values(new NormalValues(0, 0.02, type, 1), "a", type, COUNT);
            assertThat(new Mean().evaluate(values)).isCloseTo(0, within(1.9e-4));
            assertThat(new StandardDeviation().evaluate(values)).isCloseTo(0.02, within(1.3e-4));
        }
        // BF16's unit at 1 is 1/128 above and 1/256 below, so there rounding adds a variance of some 4e-6 to 4e-4.
        double[] norms = values(new NormalValues(1, 0.02, ElementType.BF16, 1), "norm", ElementType.BF16, COUNT);
        assertThat(new Mean().evaluate(norms)).isCloseTo(1, within(1e-3));
        assertThat(new StandardDeviation().evaluate(norms)).isCloseTo(0.02, within(4e-4));
    }

    /** F16 has 11 bits, so that 10,000 draws don't show that values are rounded. The seed is fixed: 0.001 is never met by chance. */
    @Test
    void theyAreNormallyDistributed() throws IOException {
        double[] values = values(new NormalValues(0, 0.02, ElementType.F16, 5), "b", ElementType.F16, 10_000);
        double distance =
                new KolmogorovSmirnovTest().kolmogorovSmirnovStatistic(new NormalDistribution(0, 0.02), values);
        // Kolmogorov's 0.1 % point: 1.95 / sqrt(10,000)
        assertThat(distance).isLessThan(0.0195);
    }

    /** Neighbours, and tensors of other names or seeds, have nothing in common: 5 / sqrt(300,000) = 9e-3. */
    @Test
    void tensorsAreIndependent() throws IOException {
        NormalValues normal = new NormalValues(0, 0.02, ElementType.F16, 1);
        double[] values = values(normal, "model.layers.1.mlp.up_proj.weight", ElementType.F16, COUNT);
        double[] others = values(normal, "model.layers.2.mlp.up_proj.weight", ElementType.F16, COUNT);
        double[] seeded = values(new NormalValues(0, 0.02, ElementType.F16, 2), "a", ElementType.F16, COUNT);
        double[] shifted = values.clone();
        System.arraycopy(values, 1, shifted, 0, COUNT - 1);
        PearsonsCorrelation correlation = new PearsonsCorrelation();
        for (double[] other : new double[][] {others, seeded, shifted}) {
            assertThat(correlation.correlation(values, other)).isCloseTo(0, within(9e-3));
        }
    }

    /** More elements than fit a chunk, and a number that no step divides. */
    @Test
    void aShorterTensorIsTheBeginningOfALongerOne() throws IOException {
        NormalValues normal = new NormalValues(0, 0.02, ElementType.BF16, 1);
        double[] all = values(normal, "a", ElementType.BF16, COUNT);
        double[] some = values(normal, "a", ElementType.BF16, 131_073);
        assertThat(all).startsWith(some);
    }
}
