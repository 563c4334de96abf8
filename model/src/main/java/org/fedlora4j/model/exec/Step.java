package org.fedlora4j.model.exec;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A step of a plan: the names of what it reads and writes, and how it runs. */
interface Step {
    /** What it runs: an op's name or a kernel's. */
    String kind();

    List<String> inputs();

    List<String> outputs();

    /** Which of the inputs it would rather read as bfloat16, in {@link Precision#BF16}. */
    default Set<Integer> bf16Inputs() {
        return Set.of();
    }

    /** Which of them it reads so, too, where the model is large: see {@link Precision#isWide}. */
    default Set<Integer> bf16InputsOfLarge() {
        return Set.of();
    }

    /** Whether it can write its outputs as bfloat16. */
    default boolean canWriteBf16() {
        return false;
    }

    /** An input that the output may be written over, or null. */
    default @Nullable String replaceable() {
        return null;
    }

    /** The step with another input. */
    default Step withInput(int index, String name) {
        throw new UnsupportedOperationException(kind() + " reads " + name);
    }

    /** The shapes of the outputs for these inputs. */
    List<long[]> outputShapes(INDArray[] arguments);

    /** The step on these arrays, to be run any number of times. */
    Runnable bind(INDArray[] arguments, INDArray[] results);
}
