package org.fedlora4j.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.launcher.JavaModuleOptions;

/**
 * A standalone cluster on loopback: a master and workers of one core, each a process with the class path of the tests. They
 * end with {@link #close} or with this process.
 */
final class LocalCluster implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern ADDRESS = Pattern.compile("spark://127\\.0\\.0\\.1:\\d+");

    private final Path folder;
    private final List<Process> processes = new ArrayList<>();
    private final List<Process> workers = new ArrayList<>();
    private final Thread hook = new Thread(this::killAll);
    private final String address;

    private LocalCluster(Path folder, int workers) throws IOException {
        this.folder = folder;
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            // Workers look there for the jars of executors, whose class path is the driver's to say.
            Files.createDirectories(folder.resolve("jars"));
            Process master = start("master", "org.apache.spark.deploy.master.Master");
            address = address(master);
            for (int n = 0; n < workers; n++) {
                String name = "worker-" + n;
                this.workers.add(start(
                        name,
                        "org.apache.spark.deploy.worker.Worker",
                        "--cores",
                        "1",
                        "--memory",
                        "1g",
                        "--work-dir",
                        folder.resolve(name).toString(),
                        address));
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Starts a cluster that keeps its logs and work in {@code folder}. */
    static LocalCluster start(Path folder, int workers) throws IOException {
        return new LocalCluster(folder, workers);
    }

    /** What a driver in this process needs to use the cluster, with an executor of one core on each worker. */
    SparkConf conf() {
        return TestConf.of(address)
                .set("spark.executor.extraClassPath", System.getProperty("java.class.path"))
                .set("spark.executor.memory", "512m")
                .set(
                        "spark.executor.extraJavaOptions",
                        "-XX:+UseSerialGC -XX:ActiveProcessorCount=1 -XX:TieredStopAtLevel=1")
                .set("spark.scheduler.minRegisteredResourcesRatio", "1.0")
                .set("spark.scheduler.maxRegisteredResourcesWaitingTime", PATIENCE.toSeconds() + "s")
                .set("spark.cores.max", String.valueOf(workers.size()));
    }

    /**
     * What a machine's sudden end looks like: a worker and its executors are gone without a word.
     *
     * @param place a file that will appear, with the process id of one of the executors
     */
    void killWorkerOf(Path place) {
        try {
            waitFor(() -> Files.exists(place));
            ProcessHandle executor =
                    ProcessHandle.of(Long.parseLong(Files.readString(place))).orElseThrow();
            kill(workers.stream()
                    .filter(worker -> worker.descendants().anyMatch(executor::equals))
                    .findFirst()
                    .orElseThrow());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        killAll();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending, and the hook runs already.
        }
    }

    private Process start(String name, String mainClass, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(JavaModuleOptions.defaultModuleOptionArray()));
        command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        command.addAll(List.of("--host", "127.0.0.1", "--port", "0", "--webui-port", "0"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.redirectOutput(log(name).toFile());
        builder.environment().put("SPARK_HOME", folder.toString());
        builder.environment().put("SPARK_SCALA_VERSION", "2.13");
        builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    private Path log(String name) {
        return folder.resolve(name + ".log");
    }

    /** Where the master says that it listens. */
    private String address(Process master) throws IOException {
        Path log = log("master");
        waitFor(() ->
                !master.isAlive() || ADDRESS.matcher(Files.readString(log)).find());
        Matcher matcher = ADDRESS.matcher(Files.readString(log));
        if (!matcher.find()) {
            throw new IOException("the master did not start: " + Files.readString(log));
        }
        return matcher.group();
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void waitFor(Condition condition) throws IOException {
        Instant end = Instant.now().plus(PATIENCE);
        while (!condition.holds()) {
            if (Instant.now().isAfter(end)) {
                throw new IOException("waited in vain for " + PATIENCE);
            }
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException(e);
            }
        }
    }

    private void killAll() {
        processes.forEach(LocalCluster::kill);
    }

    private static void kill(Process process) {
        // Its executors first become known, then orphans.
        List<ProcessHandle> family = Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .toList();
        family.forEach(ProcessHandle::destroyForcibly);
        family.forEach(member -> member.onExit().join());
    }
}
