package org.fedlora4j.federation;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.Sha256;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.DecomposedAdapter;
import org.fedlora4j.lora.DecomposedPair;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/**
 * The global model: the adapter that the server holds and sends. A and B are what is kept; the four parts are computed
 * from them, so phases on whole matrices are free of rounding by decomposition.
 *
 * @param axis along which the parts are taken
 */
public record SharedParts(AdapterState adapter, MagnitudeAxis axis) {
    /** The values of the parts. Directions and magnitudes of an untrained adapter are refused: warm-up needed. */
    public PartValues values(Set<Part> parts) {
        SortedMap<Part, SortedMap<String, Matrix>> values = new TreeMap<>();
        boolean whole = parts.stream().allMatch(Part::isMatrix);
        Map<String, DecomposedPair> decomposed =
                whole ? Map.of() : DecomposedAdapter.of(adapter, axis).modules();
        for (Part part : parts) {
            SortedMap<String, Matrix> modules = new TreeMap<>();
            if (part.isMatrix()) {
                adapter.modules().forEach((module, pair) -> modules.put(module, matrix(part, pair)));
            } else {
                decomposed.forEach((module, pair) -> modules.put(module, part(part, pair)));
            }
            values.put(part, modules);
        }
        return new PartValues(values);
    }

    /** The shape of a part's value, as {@link Matrix#shape} has it; nothing is split for it. */
    String shape(Part part, String module) {
        Matrix whole = matrix(part.matrix(), adapter.pair(module));
        int rows = part.isMagnitude() && axis == MagnitudeAxis.COLUMN ? 1 : whole.rows();
        int columns = part.isMagnitude() && axis == MagnitudeAxis.ROW ? 1 : whole.columns();
        return "[" + rows + ", " + columns + "]";
    }

    /** Refuses an adapter that can't be split yet, where a phase trains parts of it. */
    void requireSplits(Phase phase) {
        values(phase.train());
    }

    /** SHA-256 of the bits of all matrices, in hexadecimal: the same for the same global model. */
    public String digest() {
        MessageDigest digest = Sha256.digest();
        adapter.modules().forEach((module, pair) -> {
            digest.update(module.getBytes(StandardCharsets.UTF_8));
            for (Matrix matrix : List.of(pair.a(), pair.b())) {
                ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * matrix.values().length);
                bytes.asFloatBuffer().put(matrix.values());
                digest.update(bytes.array());
            }
        });
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The global model with new values of some parts. */
    public SharedParts with(PartValues values) {
        return new SharedParts(values.applyTo(adapter, axis), axis);
    }

    /** The global model as a client of this rank is sent it: zeros beyond its first components. */
    public SharedParts cutTo(int rank) {
        return new SharedParts(adapter.cutTo(rank), axis);
    }

    private static Matrix matrix(Part part, LoraPair pair) {
        return part == Part.A ? pair.a() : pair.b();
    }

    private static Matrix part(Part part, DecomposedPair pair) {
        return switch (part) {
            case A_DIRECTION -> pair.aDirection();
            case A_MAGNITUDE -> pair.aMagnitude();
            case B_DIRECTION -> pair.bDirection();
            case B_MAGNITUDE -> pair.bMagnitude();
            case A, B -> throw new IllegalArgumentException(part + " is a matrix");
        };
    }
}
