package org.fedlora4j.benchmark.scale;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.Stream;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.exec.Precision;
import org.junit.jupiter.api.Test;

class StepTimeTest {
    private static final StepTime TIME = new StepTime(1e-10, 5e-13, 2e-12);

    private static final List<StepTime.Timed> STEPS = Stream.of(
                    new StepWork(1e10, 1e11, 1e9),
                    new StepWork(1e10, 4e11, 1e10),
                    new StepWork(1e10, 8e11, 9e11),
                    new StepWork(1e10, 2e11, 3e11),
                    new StepWork(2e10, 3e11, 5e11))
            .map(work -> new StepTime.Timed(work, TIME.seconds(work)))
            .toList();

    @Test
    void findsWhatTheTimesAreMadeOf() {
        StepTime fitted = StepTime.fit(STEPS);
        assertThat(fitted.secondsPerByte()).isCloseTo(1e-10, within(1e-16));
        assertThat(fitted.secondsPerProduct()).isCloseTo(5e-13, within(1e-19));
        assertThat(fitted.secondsPerAttention()).isCloseTo(2e-12, within(1e-18));
    }

    @Test
    void eachIsForetoldByTheOthers() {
        List<Double> foretold = StepTime.foretold(STEPS);
        for (int i = 0; i < STEPS.size(); i++) {
            assertThat(foretold.get(i)).isCloseTo(STEPS.get(i).seconds(), within(1e-9));
        }
        List<StepTime.Timed> oneSlow = Stream.concat(
                        STEPS.stream().skip(1),
                        Stream.of(new StepTime.Timed(STEPS.get(0).work(), 100)))
                .toList();
        assertThat(StepTime.foretold(oneSlow).get(4)).isCloseTo(STEPS.get(0).seconds(), within(1e-9));
    }

    /**
     * Per layer q and o 32·32, k and v 32·16, gate, up and down 32·48, in two layers, and the head 32·98: 18,496 weights, of
     * which 13,376 read a norm. Adapters of rank 3: q 3 (32 + 32), v 3 (32 + 16), twice.
     */
    @Test
    void workIsCountedByWeights() {
        LlamaConfig model = new LlamaConfig(98, 32, 48, 2, 4, 2, 8, 1e-5, 10_000, new RopeScaling.None(), true, 512);
        LoraConfig lora = LoraConfig.of(3, 6, "q_proj", "v_proj");
        StepWork wide = StepWork.of(model, lora, Precision.BF16, 2, 5);
        StepWork once = StepWork.of(model, lora, Precision.F32, 2, 5);
        int weights = 2 * (2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 48) + 32 * 98;
        int ofNorm = 2 * (32 * 32 + 2 * 32 * 16 + 2 * 32 * 48) + 32 * 98;
        int adapter = 2 * 3 * (64 + 48);
        assertThat(once.weightBytes()).isEqualTo(4 * weights);
        assertThat(once.products()).isEqualTo(2 * 10 * (2 * weights + 3 * adapter));
        assertThat(wide.products() - once.products()).isEqualTo(2 * 10 * ofNorm);
        assertThat(once.attention()).isEqualTo(6 * 2 * 2 * 2 * 32 * 5 * 5);
    }
}
