package org.fedlora4j.federation.data;

import java.util.List;

/** Divides the records of one data set among clients. */
public interface Partitioner {
    /**
     * The clients, in the order of their ids; every record is at exactly one of them.
     *
     * @param categories the category of each record
     * @param seed the same seed gives the same partition, on every machine
     * @throws org.fedlora4j.common.BadInputException if these records can't be divided so
     */
    List<ClientShard> partition(List<String> categories, long seed);
}
