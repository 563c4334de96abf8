package org.fedlora4j.federation.data;

import java.util.regex.Pattern;

/**
 * The records of one client.
 *
 * @param clientId letters, digits, '-' and '_', at most 100 (it becomes part of file names)
 * @param indices places in the list of all records, at least one, ascending
 */
public record ClientShard(String clientId, int[] indices) {
    private static final Pattern CLIENT_ID = Pattern.compile("[\\p{L}\\p{N}_-]{1,100}");

    public ClientShard {
        if (!CLIENT_ID.matcher(clientId).matches()) {
            throw new IllegalArgumentException(
                    "client id '" + clientId + "', wanted 1 to 100 letters, digits, '-' or '_'");
        }
        if (indices.length == 0) {
            throw new IllegalArgumentException("client " + clientId + " has no records, wanted at least one");
        }
        int previous = -1;
        for (int index : indices) {
            if (index <= previous) {
                throw new IllegalArgumentException("client " + clientId + ": record " + index + " after " + previous
                        + ", wanted ascending records from 0 on");
            }
            previous = index;
        }
    }
}
