package org.fedlora4j.benchmark;

import java.util.List;
import java.util.SortedMap;

/**
 * An experiment's data as its clients have it.
 *
 * @param clients that train together, by id
 * @param unseen that take no part in training, by id
 * @param counts of the records of both
 * @param partition the number of records by client, unseen ones among them, and category
 * @param skippedRecords that can't be used
 */
record ExperimentData(
        List<ClientRecords> clients,
        List<ClientRecords> unseen,
        DataCounts counts,
        SortedMap<String, SortedMap<String, Integer>> partition,
        long skippedRecords) {}
