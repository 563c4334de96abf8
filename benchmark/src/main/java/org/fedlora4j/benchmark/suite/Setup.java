package org.fedlora4j.benchmark.suite;

/** What methods are compared on: a model and a data set, by the names that they have in the suite. */
public record Setup(String model, String dataset) {
    @Override
    public String toString() {
        return model + ", " + dataset;
    }
}
