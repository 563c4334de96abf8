package org.fedlora4j.spark;

import org.apache.spark.SparkConf;

/** Settings of Spark for tests: nothing listens beyond this machine. */
final class TestConf {
    private TestConf() {}

    static SparkConf of(String master) {
        return new SparkConf()
                .setMaster(master)
                .setAppName("fedlora4j")
                .set("spark.ui.enabled", "false")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.driver.bindAddress", "127.0.0.1");
    }
}
