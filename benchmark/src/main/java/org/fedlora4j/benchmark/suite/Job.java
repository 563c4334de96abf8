package org.fedlora4j.benchmark.suite;

import org.fedlora4j.benchmark.Experiment;

/**
 * One run of a suite.
 *
 * @param method its name
 * @param experiment whose output folder is the job's own
 */
public record Job(Setup setup, String method, int seed, Experiment experiment) {
    /** Its name, and its folder's within the folder of jobs: {@code MODEL/DATASET/METHOD/seed-N}. */
    public String name() {
        return name(setup, method, seed);
    }

    static String name(Setup setup, String method, int seed) {
        return setup.model() + "/" + setup.dataset() + "/" + method + "/seed-" + seed;
    }

    /** The file of its result among those of all jobs in one folder: {@code MODEL-DATASET-METHOD-seedN.json}. */
    String exportedFile() {
        return setup.model() + "-" + setup.dataset() + "-" + method + "-seed" + seed + ".json";
    }
}
