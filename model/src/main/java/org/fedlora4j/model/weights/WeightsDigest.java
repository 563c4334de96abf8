package org.fedlora4j.model.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.fedlora4j.common.Sha256;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * Tells models apart without reading all of their weights: the SHA-256 of every parameter's name, type, shape and samples.
 * A parameter of up to 16,384 elements is taken whole, of a larger one eight blocks of 2,048 elements, spread evenly from
 * its first to its last. Of LLaMA2-7B that is 8 MB, of 13 GB.
 *
 * <p>Another training, another merged adapter or another quantisation changes nearly every element of a matrix, so it shows.
 * A change of a few single elements may not. Files may be laid out differently, in shards or not; but the same model in
 * another type is another one here.
 */
public final class WeightsDigest {
    static final int BLOCKS = 8;
    static final int BLOCK = 2_048;

    private WeightsDigest() {}

    /** Of a checkpoint's folder, as 64 hexadecimal digits. */
    public static String of(Path folder) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            return of(checkpoint);
        }
    }

    /** Of weights wherever they are. */
    public static String of(WeightSource weights) throws IOException {
        MessageDigest digest = Sha256.digest();
        LlamaConfig config = weights.config();
        List<ParameterNames.Parameter> parameters = ParameterNames.of(config).toList();
        for (ParameterNames.Parameter parameter : parameters) {
            String name = parameter.name();
            ElementType type = weights.type(name);
            String shape = Arrays.toString(parameter.role().shape(config));
            digest.update((name + " " + type + " " + shape + "\n").getBytes(StandardCharsets.UTF_8));
            for (Range range : samples(parameter.role().elements(config))) {
                ByteBuffer bytes = ByteBuffer.allocate((int) (range.end - range.begin) * type.bytes());
                weights.read(name, range.begin, type, bytes);
                digest.update(bytes.array());
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Elements from {@code begin} up to {@code end}. */
    record Range(long begin, long end) {}

    /** What is read of a parameter with so many elements. */
    static List<Range> samples(long elements) {
        if (elements <= (long) BLOCKS * BLOCK) {
            return List.of(new Range(0, elements));
        }
        Range[] ranges = new Range[BLOCKS];
        for (int block = 0; block < BLOCKS; block++) {
            long evenly = block * (elements - BLOCK) / (BLOCKS - 1);
            long begin = evenly - evenly % WeightSource.ALIGNMENT;
            ranges[block] = new Range(begin, block == BLOCKS - 1 ? elements : begin + BLOCK);
        }
        return List.of(ranges);
    }
}
