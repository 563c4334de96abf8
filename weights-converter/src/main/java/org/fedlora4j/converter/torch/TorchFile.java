package org.fedlora4j.converter.torch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;
import org.fedlora4j.converter.torch.PickleValue.Dict;
import org.fedlora4j.converter.torch.PickleValue.Storage;
import org.fedlora4j.converter.torch.PickleValue.Tensor;
import org.fedlora4j.converter.torch.TorchArchive.Span;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;
import org.fedlora4j.model.weights.TensorFile;

/** A file that {@code torch.save} wrote, holding a dict of tensors. */
public final class TorchFile implements TensorFile {
    private final Path path;
    private final FileChannel channel;
    private final Map<String, Placed> tensors;

    /** @param position of the storage's first byte in the file */
    private record Placed(Tensor tensor, long position) {}

    private TorchFile(Path path, FileChannel channel, Map<String, Placed> tensors) {
        this.path = path;
        this.channel = channel;
        this.tensors = tensors;
    }

    /**
     * Opens a file and checks where its tensors lie.
     *
     * @throws BadInputException if there is no such file, it is not sound, or holds anything but a dict of tensors
     */
    public static TorchFile open(Path path) throws IOException {
        InputFiles.require(path, "one that torch.save wrote");
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new TorchFile(path, channel, tensors(TorchArchive.read(path, channel)));
        } catch (BadInputException e) {
            channel.close();
            throw new BadInputException(path + ": " + e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static Map<String, Placed> tensors(TorchArchive archive) {
        PickleValue value = PickleReader.read(archive.pickle());
        if (!(value instanceof Dict dict)) {
            throw new BadInputException("holds " + value.kind() + "; wanted a dict of tensors");
        }
        Map<String, Placed> tensors = new LinkedHashMap<>();
        dict.entries().forEach((name, entry) -> {
            if (!(entry instanceof Tensor tensor)) {
                throw new BadInputException(name + " is " + entry.kind() + "; wanted a tensor");
            }
            tensors.put(name, new Placed(tensor, position(archive, name, tensor.storage())));
        });
        return Collections.unmodifiableMap(tensors);
    }

    private static long position(TorchArchive archive, String name, Storage storage) {
        Span span = archive.storages().get(storage.key());
        if (span == null) {
            throw new BadInputException(name + " is in storage data/" + storage.key() + ", which is missing");
        }
        long bytes = storage.elements() * storage.type().bytes();
        if (span.bytes() < bytes) {
            throw new BadInputException("storage data/" + storage.key() + " of " + name + " has " + span.bytes()
                    + " bytes; wanted " + bytes + ", for " + storage.elements() + " elements of " + storage.type());
        }
        return span.begin();
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public ElementType type(String name) {
        return placed(name).tensor.storage().type();
    }

    @Override
    public long[] shape(String name) {
        return placed(name).tensor.view().shape().clone();
    }

    @Override
    public void read(String name, long begin, ElementType type, ByteBuffer out) throws IOException {
        Placed placed = placed(name);
        StridedView view = placed.tensor.view();
        ElementType own = type(name);
        if (type == own) {
            view.read(channel, placed.position, own.bytes(), begin, out);
            return;
        }
        ByteBuffer from = ByteBuffer.allocate(out.remaining() / type.bytes() * own.bytes());
        view.read(channel, placed.position, own.bytes(), begin, from);
        try {
            Elements.convert(from.flip(), own, out, type);
        } catch (BadInputException e) {
            throw new BadInputException(path + ": " + name + " " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private Placed placed(String name) {
        Placed placed = tensors.get(name);
        if (placed == null) {
            throw new BadInputException(path + ": " + name + " is missing");
        }
        return placed;
    }
}
