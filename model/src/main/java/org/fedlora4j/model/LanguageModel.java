package org.fedlora4j.model;

import java.io.IOException;
import java.nio.file.Path;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Backend;
import org.fedlora4j.model.exec.NativeRuntime;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.weights.Checkpoint;

/**
 * A frozen LLaMA model: its checkpoint, mapped, and what all its uses share. {@link #with} gives the model with an
 * adapter, which computes. For one thread.
 */
public final class LanguageModel implements AutoCloseable {
    static {
        NativeRuntime.ensure();
    }

    /**
     * How a model trades memory for time.
     *
     * @param residentBytes how much memory copies of layers whose type is cast may take for good; layers beyond it are cast
     *     each time that they run
     * @param planBytes how much memory of their own compiled plans may take, key-value caches above all, before the least
     *     recently used is dropped; the memory that they run in is shared
     * @param recompute what training computes twice
     * @param precision the type in which products are computed, as {@link Precision#choose} found it to be had here
     */
    public record Settings(long residentBytes, long planBytes, Recompute recompute, Precision precision) {
        /** 1 GiB of resident weights, 2 GiB of plans, nothing computed twice, float32. */
        public static final Settings DEFAULT = new Settings(1L << 30, 2L << 30, Recompute.NONE, Precision.F32);

        public Settings withPrecision(Precision precision) {
            return new Settings(residentBytes, planBytes, recompute, precision);
        }

        public Settings withRecompute(Recompute recompute) {
            return new Settings(residentBytes, planBytes, recompute, precision);
        }
    }

    private final Checkpoint checkpoint;
    private final Settings settings;
    private final FrozenWeights weights;
    private final Head head;
    private final PlanCache plans;
    private final Workspace workspace = new Workspace();

    private LanguageModel(Checkpoint checkpoint, Settings settings) throws IOException {
        this.checkpoint = checkpoint;
        this.settings = settings;
        this.weights = new FrozenWeights(checkpoint, settings.precision, settings.residentBytes);
        this.head = new Head(checkpoint.config(), weights, settings.precision);
        this.plans = new PlanCache(settings.planBytes);
    }

    /**
     * Opens a checkpoint folder: a converted one or Hugging Face safetensors.
     *
     * @throws org.fedlora4j.common.BadInputException if it isn't sound, or if the backend can't be used here
     */
    public static LanguageModel open(Path folder, Settings settings) throws IOException {
        Backend.active();
        return new LanguageModel(Checkpoint.open(folder), settings);
    }

    /** {@link #open(Path, Settings)} with {@link Settings#DEFAULT}. */
    public static LanguageModel open(Path folder) throws IOException {
        return open(folder, Settings.DEFAULT);
    }

    public LlamaConfig config() {
        return checkpoint.config();
    }

    /** How long plans were compiled so far, all together. */
    public double compileMillis() {
        return plans.compileMillis();
    }

    /** Native memory of the plans so far and of the workspace that they run in, in bytes; weights are not counted. */
    public long planBytes() {
        return plans.bytes() + workspace.bytes();
    }

    /** The checkpoint's folder. */
    public Path folder() {
        return checkpoint.folder();
    }

    /** What it was opened with. */
    public Settings settings() {
        return settings;
    }

    /** This model with an adapter; close it before the model. */
    public AdaptedModel with(Adapter adapter) {
        return new AdaptedModel(this, adapter);
    }

    BatchPlan plan(Adapter adapter, LlamaGraph.LayerShape shape) {
        return plans.get(
                new PlanCache.Key(adapter, shape),
                key -> new BatchPlan(config(), weights, key.adapter(), key.shape(), settings, workspace));
    }

    void dropPlans(Adapter adapter) {
        plans.drop(key -> key.adapter() == adapter);
    }

    FrozenWeights weights() {
        return weights;
    }

    Head head() {
        return head;
    }

    @Override
    public void close() throws IOException {
        plans.close();
        workspace.close();
        head.close();
        weights.close();
        checkpoint.close();
    }
}
