package org.fedlora4j.federation;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Sha256;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * What a run is made of, as texts by name: a saved state goes on only under the same. The number of rounds is among it
 * only where the recipe has a finish or a schedule that depends on it, so any other run can be made longer; the share of
 * clients that take part only where it isn't all.
 */
public final class Fingerprint {
    private Fingerprint() {}

    /** Of a run, without its clients. */
    public static SortedMap<String, String> of(LlamaConfig model, Federation.Settings settings) {
        SortedMap<String, String> texts = new TreeMap<>();
        texts.put("model", model.toString());
        texts.put("lora", settings.lora().toString());
        texts.put("recipe", RecipeFile.toTree(settings.recipe()).toString());
        if (settings.recipe().dependsOnRounds()) {
            texts.put("number of rounds", String.valueOf(settings.rounds()));
        }
        texts.put("batch size", String.valueOf(settings.batchSize()));
        texts.put("batch window", String.valueOf(settings.batchWindow()));
        texts.put("padding id", String.valueOf(settings.padId()));
        texts.put("seed", String.valueOf(settings.seed()));
        if (settings.participation() != 1) {
            texts.put("participation", String.valueOf(settings.participation()));
        }
        return texts;
    }

    /** Of a run whose clients' data is here too. */
    static SortedMap<String, String> of(LlamaConfig model, Federation.Settings settings, List<ClientData> clients) {
        SortedMap<String, String> texts = of(model, settings);
        texts.put("clients", clients.stream().map(Fingerprint::name).toList().toString());
        for (ClientData client : clients) {
            texts.put(
                    "data of client " + client.id(),
                    client.train().size() + " examples, SHA-256 " + digest(client.train()));
        }
        return texts;
    }

    /** Refuses a state of another run, naming the first difference. */
    static void requireSame(SortedMap<String, String> saved, SortedMap<String, String> wanted) {
        Set<String> names = new LinkedHashSet<>(wanted.keySet());
        names.addAll(saved.keySet());
        for (String name : names) {
            String found = saved.getOrDefault(name, "absent");
            String text = wanted.getOrDefault(name, "absent");
            if (!found.equals(text)) {
                throw new BadInputException("the saved state is another run's: its " + name + " is " + found
                        + ", wanted this run's: " + text);
            }
        }
    }

    private static String name(ClientData client) {
        return client.id() + (client.hasFullRank() ? "" : " of rank " + client.rank());
    }

    private static String digest(List<Example> examples) {
        MessageDigest digest = Sha256.digest();
        for (Example example : examples) {
            ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (1 + 2 * example.ids().length));
            bytes.putInt(example.ids().length);
            bytes.asIntBuffer().put(example.ids()).put(example.labels());
            digest.update(bytes.array());
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
