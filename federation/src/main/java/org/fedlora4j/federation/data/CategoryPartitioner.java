package org.fedlora4j.federation.data;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.fedlora4j.common.BadInputException;

/** One client per category, named after it (what a client id can't contain becomes '-'). The seed has no effect. */
public record CategoryPartitioner() implements Partitioner {

    @Override
    public List<ClientShard> partition(List<String> categories, long seed) {
        Map<String, String> takenIds = new HashMap<>();
        return Categories.group(categories).entrySet().stream()
                .map(entry -> new ClientShard(
                        clientId(entry.getKey(), takenIds),
                        entry.getValue().stream().mapToInt(Integer::intValue).toArray()))
                .sorted(Comparator.comparing(ClientShard::clientId))
                .toList();
    }

    /** @param takenIds ids to categories; in lower case, because some file systems take no notice of case */
    private static String clientId(String category, Map<String, String> takenIds) {
        String clientId = category.replaceAll("[^\\p{L}\\p{N}_-]+", "-");
        if (clientId.isEmpty() || clientId.length() > 100) {
            throw new BadInputException("category '" + category + "' can't name a client, wanted 1 to 100 characters");
        }
        String other = takenIds.put(clientId.toLowerCase(Locale.ROOT), category);
        if (other != null) {
            throw new BadInputException("categories '" + other + "' and '" + category + "' both name client " + clientId
                    + ", wanted categories that differ in letters or digits");
        }
        return clientId;
    }
}
