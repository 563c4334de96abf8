package org.fedlora4j.converter.torch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.weights.FileBytes;

/**
 * The zip archive that {@code torch.save} writes since PyTorch 1.6: {@code PREFIX/data.pkl}, {@code PREFIX/data/KEY} for
 * each storage, some small files; nothing compressed (format: PyTorch's {@code caffe2/serialize/inline_container.h}).
 *
 * @param pickle the bytes of {@code data.pkl}
 * @param storages where each storage lies in the file, by key
 */
record TorchArchive(byte[] pickle, Map<String, Span> storages) {
    /** Most bytes of {@code data.pkl}. A tensor takes some 100. */
    private static final int MAX_PICKLE = 16 << 20;

    private static final String PICKLE = "/data.pkl";
    private static final String SCRIPT = "/constants.pkl";
    private static final int MAX_NAME = 1024;
    private static final int TAR_MAGIC_AT = 257;

    /** Bytes of a file, {@code end} is the one after the last. */
    record Span(long begin, long end) {
        Span {
            if (begin < 0 || end < begin) {
                throw new IllegalArgumentException("bytes " + begin + " to " + end);
            }
        }

        long bytes() {
            return end - begin;
        }
    }

    /** @throws BadInputException if it is no such archive, or not sound */
    static TorchArchive read(Path file, FileChannel channel) throws IOException {
        requireZip(channel);
        Map<String, ZipArchiveEntry> entries = entries(file, channel.size());
        String name = pickleName(entries.keySet());
        String prefix = name.substring(0, name.length() - PICKLE.length() + 1);
        requireLittleEndian(entries, prefix + "byteorder", channel);
        Map<String, Span> storages = new LinkedHashMap<>();
        String data = prefix + "data/";
        entries.forEach((path, entry) -> {
            if (path.startsWith(data)) {
                storages.put(path.substring(data.length()), span(entry));
            }
        });
        byte[] pickle = read(entries, name, MAX_PICKLE, channel).orElseThrow();
        return new TorchArchive(pickle, Collections.unmodifiableMap(storages));
    }

    /** Any folder may hold it, but only one does. */
    private static String pickleName(Set<String> names) {
        List<String> found = names.stream()
                .filter(name -> name.endsWith(PICKLE) && name.indexOf('/') == name.length() - PICKLE.length())
                .toList();
        if (found.size() != 1) {
            throw new BadInputException("has " + found.size() + " files FOLDER/data.pkl; wanted one");
        }
        return found.get(0);
    }

    /** Other formats that PyTorch had under the same name are refused by theirs. */
    private static void requireZip(FileChannel channel) throws IOException {
        int length = (int) Math.min(channel.size(), TAR_MAGIC_AT + 5);
        byte[] head = new byte[length];
        FileBytes.readFully(channel, 0, ByteBuffer.wrap(head));
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (text.startsWith("PK\3\4")) {
            return;
        }
        String wanted = "; wanted a zip archive: load the file in PyTorch and save it again";
        if (text.startsWith("ustar", TAR_MAGIC_AT)) {
            throw new BadInputException("a tar archive, the format before PyTorch 0.2" + wanted);
        }
        if (text.startsWith("\u0080")) {
            throw new BadInputException("a bare pickle, the format before PyTorch 1.6" + wanted);
        }
        throw new BadInputException("does not begin as a zip archive; wanted one, as torch.save writes it");
    }

    private static Map<String, ZipArchiveEntry> entries(Path file, long fileBytes) {
        Map<String, ZipArchiveEntry> entries = new LinkedHashMap<>();
        for (ZipArchiveEntry entry : directory(file)) {
            String name = entry.getName();
            // Names end up in messages, which are one line.
            if (name.length() > MAX_NAME || name.chars().anyMatch(Character::isISOControl)) {
                throw new BadInputException(
                        "has a file's name that is longer than " + MAX_NAME + " characters, or has control characters");
            }
            if (entries.put(name, entry) != null) {
                throw new BadInputException(name + " is there twice");
            }
        }
        if (entries.keySet().stream().anyMatch(name -> name.endsWith(SCRIPT))) {
            throw new BadInputException("a TorchScript archive; wanted a dict of tensors that torch.save wrote");
        }
        requireSound(entries.values(), fileBytes);
        return entries;
    }

    private static List<ZipArchiveEntry> directory(Path file) {
        try (ZipFile zip = ZipFile.builder().setPath(file).get()) {
            return Collections.list(zip.getEntries());
        } catch (IOException | IllegalArgumentException e) {
            // The latter comes of positions below 0. The messages may have names of entries, unchecked.
            throw new BadInputException("not a sound zip archive; wanted one, as torch.save writes it", e);
        }
    }

    /** Each has its own part of the file, as it is. */
    private static void requireSound(Collection<ZipArchiveEntry> entries, long fileBytes) {
        long end = 0;
        for (ZipArchiveEntry entry : entries.stream()
                .sorted(Comparator.comparingLong(ZipArchiveEntry::getDataOffset))
                .toList()) {
            long begin = entry.getDataOffset();
            long size = entry.getSize();
            if (entry.getMethod() != ZipEntry.STORED
                    || size != entry.getCompressedSize()
                    || entry.getGeneralPurposeBit().usesEncryption()) {
                throw new BadInputException(entry.getName() + " is compressed or encrypted; wanted neither");
            }
            if (begin < end || size > fileBytes - begin) {
                throw new BadInputException(entry.getName() + " has " + size + " bytes from byte " + begin
                        + " on; wanted none of another file, and none beyond the " + fileBytes + " of the archive");
            }
            end = begin + size;
        }
    }

    private static Span span(ZipArchiveEntry entry) {
        return new Span(entry.getDataOffset(), entry.getDataOffset() + entry.getSize());
    }

    /** PyTorch before 2.1 writes no byte order, and writes the machine's, which is this one on all that matter. */
    private static void requireLittleEndian(Map<String, ZipArchiveEntry> entries, String name, FileChannel channel)
            throws IOException {
        Optional<byte[]> bytes = read(entries, name, Long.BYTES, channel);
        if (bytes.isPresent()) {
            String order = new String(bytes.get(), StandardCharsets.ISO_8859_1);
            if (!order.equals("little")) {
                String found = order.equals("big") ? order : "unknown";
                throw new BadInputException(name + " is " + found + "; wanted little");
            }
        }
    }

    private static Optional<byte[]> read(
            Map<String, ZipArchiveEntry> entries, String name, int maximum, FileChannel channel) throws IOException {
        ZipArchiveEntry entry = entries.get(name);
        if (entry == null) {
            return Optional.empty();
        }
        if (entry.getSize() > maximum) {
            throw new BadInputException(name + " has " + entry.getSize() + " bytes; wanted at most " + maximum);
        }
        byte[] bytes = new byte[(int) entry.getSize()];
        FileBytes.readFully(channel, entry.getDataOffset(), ByteBuffer.wrap(bytes));
        CRC32 crc = new CRC32();
        crc.update(bytes);
        // PyTorch can be told to compute none, and writes 0.
        if (entry.getCrc() != 0 && entry.getCrc() != crc.getValue()) {
            throw new BadInputException("%s has CRC %08x; wanted %08x".formatted(name, crc.getValue(), entry.getCrc()));
        }
        return Optional.of(bytes);
    }
}
