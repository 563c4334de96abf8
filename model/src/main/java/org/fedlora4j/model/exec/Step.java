package org.fedlora4j.model.exec;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A step of a plan: the names of what it reads and writes, and how it runs. */
interface Step {
    /** What it runs: an op's name or a kernel's. */
    String kind();

    List<String> inputs();

    List<String> outputs();

    /** The shapes of the outputs for these inputs. */
    List<long[]> outputShapes(INDArray[] arguments);

    /** The step on these arrays, to be run any number of times. */
    Runnable bind(INDArray[] arguments, INDArray[] results);
}
