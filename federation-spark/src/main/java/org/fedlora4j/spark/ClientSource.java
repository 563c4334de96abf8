package org.fedlora4j.spark;

import java.io.IOException;
import java.io.Serializable;
import java.util.SortedSet;
import org.fedlora4j.federation.ClientData;

/**
 * Where the examples of a federation's clients are read. The source itself travels to the executors and is small: paths and
 * numbers, not examples. Examples are read where they are trained on, and never on the driver.
 */
public interface ClientSource extends Serializable {
    /** All clients, in order of id; asked on the driver, once. */
    SortedSet<String> clientIds() throws IOException;

    /**
     * One client's examples, the same whenever and wherever it is asked; asked on an executor, for each phase that the
     * client trains. One caller at a time in a process.
     */
    ClientData client(String id) throws IOException;
}
