package org.fedlora4j.federation;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.LanguageModel;

/**
 * The trainers of a run on one model, by what they train. Their plans are costly to compile, so clients share them. For one
 * thread.
 */
public final class Trainers implements AutoCloseable {
    private final LanguageModel model;
    private final Federation.Settings settings;
    private final Map<Set<Part>, Trainer> trainers = new HashMap<>();

    /** @param model stays the caller's */
    public Trainers(LanguageModel model, Federation.Settings settings) {
        this.model = model;
        this.settings = settings;
    }

    LanguageModel model() {
        return model;
    }

    Federation.Settings settings() {
        return settings;
    }

    Trainer of(Phase phase) {
        Recipe recipe = settings.recipe();
        return trainers.computeIfAbsent(
                phase.train(),
                parts -> new Trainer(model, settings.lora(), parts, recipe.magnitudeAxis(), recipe.magnitudeStep()));
    }

    @Override
    public void close() {
        trainers.values().forEach(Trainer::close);
        trainers.clear();
    }
}
