package org.fedlora4j.benchmark.suite;

import org.fedlora4j.benchmark.Result;

/** What a job came to. */
public record JobResult(Job job, Result result) {}
