package org.fedlora4j.spark;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.SettingsJson;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Recompute;
import org.fedlora4j.model.exec.Precision;

/**
 * Which model is trained and how, in a form that travels.
 *
 * @param folder the checkpoint's, at the same path on every machine
 * @param settings of the run, see {@link SettingsJson}
 */
record ModelUse(
        String folder, long residentBytes, long planBytes, Recompute recompute, Precision precision, String settings)
        implements Serializable {
    static ModelUse of(Path folder, LanguageModel.Settings model, Federation.Settings settings) {
        return new ModelUse(
                folder.toAbsolutePath().toString(),
                model.residentBytes(),
                model.planBytes(),
                model.recompute(),
                model.precision(),
                SettingsJson.toTree(settings).toString());
    }

    /** Maps the model; refused where this machine can't compute in the precision. */
    LanguageModel open() throws IOException {
        return LanguageModel.open(
                Path.of(folder),
                new LanguageModel.Settings(
                        residentBytes,
                        planBytes,
                        recompute,
                        Precision.choose(precision.toString()).precision()));
    }

    Federation.Settings federation() {
        return SettingsJson.read(settings, "the driver's settings", SettingsJson::settings);
    }
}
