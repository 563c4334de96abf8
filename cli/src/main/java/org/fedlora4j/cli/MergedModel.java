package org.fedlora4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;
import org.fedlora4j.converter.SourceModel;
import org.fedlora4j.lora.MergedWeights;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.WeightSource;

/** A model with an adapter folded in, to write like any other; configuration and tokenizer are the base's. */
final class MergedModel implements SourceModel {
    private final SourceModel base;
    private final WeightSource weights;

    private MergedModel(SourceModel base, WeightSource weights) {
        this.base = base;
        this.weights = weights;
    }

    /**
     * Opens a model with an adapter.
     *
     * @param model see {@link SourceModel#open}
     * @param adapter a folder in PEFT's format
     */
    private static MergedModel open(Path model, Path adapter) throws IOException {
        SourceModel base = SourceModel.open(model);
        try {
            return new MergedModel(base, new MergedWeights(base, PeftAdapter.read(adapter, base.config())));
        } catch (IOException | RuntimeException e) {
            base.close();
            throw e;
        }
    }

    /** Writes a model with an adapter folded in, and says so. */
    static void write(Path model, Path adapter, Path target, ConversionOptions options, PrintWriter out)
            throws IOException {
        try (MergedModel merged = open(model, adapter)) {
            String origin = model + " with " + adapter;
            ConversionOptions.print(
                    target,
                    CheckpointConverter.convert(merged, origin, target, options.toOptions(), Progress.onStderr()),
                    out);
        }
    }

    @Override
    public LlamaConfig config() {
        return base.config();
    }

    @Override
    public ElementType type(String name) {
        return weights.type(name);
    }

    @Override
    public void read(String name, long begin, ElementType type, ByteBuffer out) throws IOException {
        weights.read(name, begin, type, out);
    }

    @Override
    public ObjectNode configJson() throws IOException {
        return base.configJson();
    }

    @Override
    public void writeCompanions(Path folder) throws IOException {
        base.writeCompanions(folder);
    }

    @Override
    public void close() throws IOException {
        base.close();
    }
}
