package org.fedlora4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.fedlora4j.benchmark.ExperimentFile;
import org.fedlora4j.benchmark.SettingsFile;
import org.fedlora4j.benchmark.data.FieldNames;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Fields;
import org.fedlora4j.grpc.Endpoint;
import org.fedlora4j.grpc.Policy;

/**
 * A client's file; {@code docs/federation.md} explains the settings under their names there.
 *
 * @param server where it is, and how the connection is protected
 * @param model the checkpoint's folder
 * @param output where the client's state, its audit log and its adapters are kept
 * @param precision {@code auto}, {@code f32} or {@code bf16}
 * @param data what the client trains on; all of it
 * @param policy what may leave the client
 */
record ClientFile(Endpoint server, Path model, Path output, String precision, Data data, Policy policy) {
    /**
     * @param train a file or folder, as in experiments
     * @param skipBadRecords whether records that can't be used are left out; otherwise the first is an error
     */
    record Data(Path train, FieldNames fields, boolean skipBadRecords) {}

    static ClientFile load(Path file, List<String> overrides) throws IOException {
        ObjectNode tree = SettingsFile.read(file, "a client's settings in YAML", overrides);
        List<String> problems = new ArrayList<>();
        Fields fields = new Fields(tree, "", problems);
        Optional<Endpoint> server = Endpoint.ofServer(fields);
        Optional<Path> model = fields.path("model");
        Optional<Path> output = fields.path("output");
        String precision = fields.text("precision", "auto");
        Optional<Data> data = data(fields.child("data"));
        Policy policy = fields.has("policy") ? policy(Path.of(fields.text("policy"))) : Policy.OPEN;
        return fields.build(() -> new ClientFile(
                        server.orElseThrow(),
                        model.orElseThrow(),
                        output.orElseThrow(),
                        precision,
                        data.orElseThrow(),
                        policy))
                .orElseThrow(() -> new BadInputException(file + ": " + String.join("; ", problems)));
    }

    private static Optional<Data> data(Fields fields) {
        Optional<Path> train = fields.path("train");
        Optional<FieldNames> names = ExperimentFile.fieldNames(fields.childOrEmpty("fields"));
        boolean skipBadRecords = fields.flag("skip-bad-records", false);
        return fields.build(() -> new Data(train.orElseThrow(), names.orElseThrow(), skipBadRecords));
    }

    private static Policy policy(Path file) throws IOException {
        return Policy.fromTree(SettingsFile.read(file, "a policy in YAML", List.of()), file.toString());
    }
}
