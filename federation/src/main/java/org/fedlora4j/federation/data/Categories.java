package org.fedlora4j.federation.data;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.fedlora4j.common.BadInputException;

/** Records by category. */
final class Categories {
    private Categories() {}

    /** The records of each category, ascending. */
    static SortedMap<String, List<Integer>> group(List<String> categories) {
        if (categories.isEmpty()) {
            throw new BadInputException("no records to divide among clients, wanted at least one");
        }
        return IntStream.range(0, categories.size())
                .boxed()
                .collect(Collectors.groupingBy(categories::get, TreeMap::new, Collectors.toList()));
    }
}
