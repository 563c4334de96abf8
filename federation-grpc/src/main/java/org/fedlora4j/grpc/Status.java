package org.fedlora4j.grpc;

import java.util.List;

/**
 * How a server's run stands, as {@code /status} shows it in JSON.
 *
 * @param run its id
 * @param round the label of the round, empty before the first and after the last
 * @param phase the name of the phase, likewise
 * @param finished whether the result is there
 * @param clients all that may take part, in order of id
 * @param curve the phases that are done, in order
 * @param updateBytes what the updates that were accepted came to, since the server was started
 */
public record Status(
        String run,
        String round,
        String phase,
        boolean finished,
        List<Client> clients,
        List<Point> curve,
        long updateBytes) {
    public Status {
        clients = List.copyOf(clients);
        curve = List.copyOf(curve);
    }

    /**
     * One client.
     *
     * @param state {@code away} before it joined, {@code waiting}, {@code training}, {@code sent}, {@code refused} in this
     *     phase, {@code silent} for longer than the server waits, or {@code late}: training for longer than it may
     * @param step of the phase that it trains, 0 when it doesn't
     */
    public record Client(String id, String state, long examples, int step, int steps) {}

    /**
     * One phase that is done.
     *
     * @param stage counted over the whole run
     * @param loss the plain mean of the clients' training losses, in nats
     */
    public record Point(int stage, String round, String phase, double loss, int clients) {}

    Status with(List<Point> points) {
        return new Status(run, round, phase, finished, clients, points, updateBytes);
    }
}
