package org.fedlora4j.benchmark.suite;

/**
 * A method that a suite compares.
 *
 * @param rival whether ours is tested against it; ablations of ours and what sees all data are no rivals
 */
public record Method(String name, boolean rival) {}
