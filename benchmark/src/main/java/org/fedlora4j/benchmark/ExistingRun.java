package org.fedlora4j.benchmark;

/** What becomes of a run that the output folder holds already. */
public enum ExistingRun {
    /** It stays as it is, and nothing is run. */
    REFUSE,
    /** It goes on. */
    RESUME,
    /** It is deleted. */
    REPLACE
}
