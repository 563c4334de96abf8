package org.fedlora4j.benchmark.suite;

import java.util.SortedMap;
import org.fedlora4j.benchmark.Result;

/**
 * What a job came to.
 *
 * @param partition how many records of each category each client holds, by client; empty where the result doesn't say
 */
public record JobResult(Job job, Result result, SortedMap<String, SortedMap<String, Integer>> partition) {}
