package org.fedlora4j.converter;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter.Options;
import org.fedlora4j.converter.ReadAhead.Piece;
import org.fedlora4j.converter.gguf.GgufType;
import org.fedlora4j.converter.gguf.GgufWriter;
import org.fedlora4j.converter.gguf.Quantisation;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.ParameterNames.Role;
import org.fedlora4j.model.weights.WeightSource;
import org.fedlora4j.tokenizer.GgufVocabulary;

/** A GGUF file as llama.cpp's {@code convert_hf_to_gguf.py} writes it. */
final class GgufTarget implements ModelTarget {
    private final SourceModel model;
    private final LlamaConfig config;
    private final WeightType type;
    private final int jobs;
    private final Progress progress;
    private final List<Parameter> parameters;

    GgufTarget(SourceModel model, Options options, Progress progress) {
        this.model = model;
        this.config = model.config();
        this.type = options.type().orElse(WeightType.F16);
        this.jobs = options.jobs();
        this.progress = progress;
        this.parameters = ParameterNames.of(config).toList();
    }

    @Override
    public Written write(Path target) throws IOException {
        String fileName = String.valueOf(target.getFileName());
        String name = fileName.substring(0, fileName.length() - GgufModel.SUFFIX.length());
        GgufWriter writer = new GgufWriter();
        GgufConfig.write(config, name, type, writer);
        vocabulary()
                .ifPresentOrElse(
                        vocabulary -> GgufTokenizer.write(vocabulary, config.vocabularySize(), writer),
                        () -> GgufTokenizer.writeNone(writer));
        String[] sha256 = new String[1];
        AtomicFiles.writeFile(target, file -> {
            sha256[0] = writeTensors(writer, file);
            new GgufModel(file).close();
        });
        return new Written(
                parameters.size(),
                parameters.stream().mapToLong(this::elements).sum(),
                Files.size(target),
                types(),
                sha256[0]);
    }

    /** The source's tokenizer, by way of the files that it is for Hugging Face. */
    private Optional<GgufVocabulary> vocabulary() throws IOException {
        Path folder = Files.createTempDirectory("fedlora-tokenizer");
        try {
            model.writeCompanions(folder);
            Files.writeString(
                    folder.resolve(HuggingFaceFolder.CONFIG), model.configJson().toString());
            return GgufVocabulary.read(folder);
        } catch (BadInputException e) {
            // The folder is ours; the user knows the file by its name alone.
            throw new BadInputException(String.valueOf(e.getMessage()).replace(folder + File.separator, ""), e);
        } finally {
            AtomicFiles.deleteRecursively(folder);
        }
    }

    private String writeTensors(GgufWriter writer, Path file) throws IOException {
        if (config.ropeScaling() instanceof RopeScaling.Llama3 scaling) {
            float[] factors = GgufConfig.factors(scaling, config.headSize(), config.ropeTheta());
            byte[] bytes = encode(factors, GgufType.F32);
            writer.tensor(
                    GgufNames.ROPE_FACTORS, GgufType.F32, List.of((long) factors.length), out -> out.write(bytes));
        }
        try (ReadAhead ahead = new ReadAhead(jobs, this::read)) {
            for (Parameter parameter : parameters) {
                GgufType stored = type(parameter.role());
                List<Long> shape =
                        Arrays.stream(parameter.role().shape(config)).boxed().toList();
                writer.tensor(GgufNames.name(parameter), stored, shape, ahead::writeTensor);
            }
            ahead.start(parameters.stream().map(Parameter::name).toList(), config);
            return HashedFile.write(file, out -> writer.writeTo(progress.counting(out, writer.length(), "converting")));
        }
    }

    /** A piece in the file's order of rows. */
    private byte[] read(Piece piece) throws IOException {
        Role role = ParameterNames.parse(piece.name()).role();
        float[] values =
                GgufNames.isPermuted(role) ? permuted(piece) : floats(piece.name(), piece.begin(), piece.elements());
        try {
            return encode(values, type(role));
        } catch (BadInputException e) {
            throw new BadInputException(piece.name() + " " + e.getMessage(), e);
        }
    }

    private float[] permuted(Piece piece) throws IOException {
        int columns = config.hiddenSize();
        float[] values = new float[piece.elements()];
        for (int done = 0; done < values.length; ) {
            long row = (piece.begin() + done) / columns;
            int column = (int) ((piece.begin() + done) % columns);
            int count = Math.min(columns - column, values.length - done);
            long from = GgufNames.rowInHuggingFace(config, row) * columns + column;
            System.arraycopy(floats(piece.name(), from, count), 0, values, done, count);
            done += count;
        }
        return values;
    }

    /** Any elements of a weight, though sources are asked for aligned ones. */
    private float[] floats(String name, long begin, int count) throws IOException {
        long from = begin - begin % WeightSource.ALIGNMENT;
        long all = ParameterNames.parse(name).role().elements(config);
        long to = Math.min(
                all, (begin + count + WeightSource.ALIGNMENT - 1) / WeightSource.ALIGNMENT * WeightSource.ALIGNMENT);
        ByteBuffer bytes = ByteBuffer.allocate((int) (to - from) * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        model.read(name, from, ElementType.F32, bytes);
        float[] values = new float[count];
        bytes.flip().asFloatBuffer().get((int) (begin - from), values);
        return values;
    }

    private static byte[] encode(float[] values, GgufType type) {
        byte[] bytes = new byte[(int) type.bytes(values.length)];
        Quantisation.encode(values, type, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /** Norms stay in F32, as llama.cpp computes with no other; rows that hold no whole blocks in F16. */
    private GgufType type(Role role) {
        long[] shape = role.shape(config);
        if (shape.length == 1) {
            return GgufType.F32;
        }
        GgufType wanted = GgufType.valueOf(type.name());
        return shape[1] % wanted.blockElements() == 0 ? wanted : GgufType.F16;
    }

    private long elements(Parameter parameter) {
        return parameter.role().elements(config);
    }

    private String types() {
        TreeSet<String> types = new TreeSet<>();
        parameters.forEach(parameter -> types.add(type(parameter.role()).name()));
        return String.join(", ", types);
    }
}
