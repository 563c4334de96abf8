package org.fedlora4j.grpc;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.TinyFederation;

/** What {@link TinyFederation} is across machines: its offer, and clients called a, b and so on. */
final class TinyRun {
    private TinyRun() {}

    static RunOffer offer(double participation) throws IOException {
        return new RunOffer("0123456789abcdef", TinyFederation.settings(participation), "alpaca", 256);
    }

    /** Three examples for client {@code a}, four for {@code b} and so on. */
    static List<ClientData> clients(int count) {
        List<ClientData> clients = new ArrayList<>();
        for (int client = 0; client < count; client++) {
            String id = String.valueOf((char) ('a' + client));
            clients.add(TinyFederation.client(id, 3 + client, 8, 100L * client));
        }
        return clients;
    }

    static SortedSet<String> ids(List<ClientData> clients) {
        SortedSet<String> ids = new TreeSet<>();
        clients.forEach(client -> ids.add(client.id()));
        return ids;
    }
}
