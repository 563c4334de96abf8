package org.fedlora4j.spark;

import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.TinyFederation;

/** Clients whose examples are drawn from the hash of their id. */
record TinyClients(int count) implements ClientSource {
    @Override
    public SortedSet<String> clientIds() {
        SortedSet<String> ids = new TreeSet<>();
        for (int n = 0; n < count; n++) {
            ids.add("client/" + n);
        }
        return ids;
    }

    @Override
    public ClientData client(String id) {
        int hash = id.hashCode();
        return TinyFederation.client(id, 2 + Math.floorMod(hash, 4), 4, hash);
    }

    List<ClientData> all() {
        return clientIds().stream().map(this::client).toList();
    }
}
