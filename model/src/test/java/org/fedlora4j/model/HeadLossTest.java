package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.fedlora4j.kernels.HeadLossKernel;
import org.fedlora4j.kernels.Product;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.NativeRuntime;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.weights.Checkpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The head's loss by kernels against that by the graph and ND4J's softmax, its control. */
class HeadLossTest {
    static {
        NativeRuntime.ensure();
    }

    private static final long SEED = 5;
    private static final int ROWS = 16;
    private static final int SCORED = 11;
    private static final double FACTOR = 0.25;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @Test
    void kernelsEqualTheGraph() throws IOException {
        LlamaConfig config =
                new LlamaConfig(1_500, 16, 20, 1, 4, 2, 6, 1e-5, 10_000, new RopeScaling.None(), false, 256);
        Random random = new Random(SEED);
        TinyModel.write(folder, config, random);
        int[] targets = random.ints(SCORED, 0, config.vocabularySize()).toArray();
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                FrozenWeights weights = new FrozenWeights(checkpoint, Precision.F32, 0);
                NativeMemory memory = new NativeMemory()) {
            HeadLoss planned = new PlannedHeadLoss(ROWS, weights, config, Precision.F32, memory);
            fill(planned);
            HeadLossKernel.Row[] wanted = planned.score(targets, true, FACTOR);
            assertThat(planned.score(targets, false, FACTOR)).isEqualTo(wanted);
            if (Product.failure() != null) {
                return;
            }
            HeadLoss fused = new FusedHeadLoss(ROWS, weights, config.rmsNormEps(), Precision.F32, memory);
            fill(fused);
            HeadLossKernel.Row[] found = fused.score(targets, true, FACTOR);
            assertThat(fused.score(targets, false, FACTOR)).isEqualTo(found);
            float[] fusedGradient = fused.gradient().ravel().toFloatVector();
            float[] plannedGradient = planned.gradient().ravel().toFloatVector();
            for (int row = 0; row < SCORED; row++) {
                assertThat(found[row].correct()).isEqualTo(wanted[row].correct());
                assertThat(found[row].loss())
                        .as("row %d, seed %d", row, SEED)
                        .isCloseTo(wanted[row].loss(), within(2e-6));
                for (int i = row * config.hiddenSize(); i < (row + 1) * config.hiddenSize(); i++) {
                    assertThat(fusedGradient[i])
                            .as("row %d, seed %d", row, SEED)
                            .isCloseTo(plannedGradient[i], within(2e-6f));
                }
            }
        }
    }

    private static void fill(HeadLoss loss) {
        Random random = new Random(SEED);
        float[] values = new float[(int) loss.input().length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        NativeArrays.write(values, loss.input());
    }
}
