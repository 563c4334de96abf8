package org.fedlora4j.hub;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.hub.ByteRanges.Range;

/**
 * A file that is not all there yet: its bytes, some missing, and beside it a record of the ranges that are there, one
 * line {@code START END} for each. What the record doesn't have counts as missing, so it is appended to after the bytes
 * are written. Safe for use by several threads.
 *
 * <p>Both names end in {@code .incomplete}, as those of the hub's client do; its tools that clean the cache find them.
 * They differ from its own {@code ETAG.incomplete}, which older versions go on appending to at the end of the file.
 */
final class PartialFile {
    private static final Pattern LINE = Pattern.compile("(\\d{1,18}) (\\d{1,18})\n");

    private final long size;
    private final Path folder;
    private final Path data;
    private final Path record;
    private ByteRanges done = new ByteRanges();

    /** Takes up what an earlier download left in the folder, which may not exist yet. */
    PartialFile(Path folder, HubFile file) throws IOException {
        size = file.size();
        this.folder = folder;
        data = folder.resolve(file.etag() + ".fedlora.incomplete");
        record = folder.resolve(file.etag() + ".fedlora-ranges.incomplete");
        if (Files.isRegularFile(data) && Files.isRegularFile(record)) {
            long there = Math.min(Files.size(data), size);
            Matcher matcher = LINE.matcher(Files.readString(record, StandardCharsets.ISO_8859_1));
            while (matcher.lookingAt()) { // ends at a line that a kill has torn
                long start = Long.parseLong(matcher.group(1));
                long end = Math.min(Long.parseLong(matcher.group(2)), there);
                if (start < end) {
                    done.add(new Range(start, end));
                }
                matcher.region(matcher.end(), matcher.regionEnd());
            }
        }
    }

    Path data() {
        return data;
    }

    synchronized long bytesDone() {
        return done.total();
    }

    synchronized List<Range> missing(long longest) {
        return done.gaps(size, longest);
    }

    /** Makes both files ready to be written to. The record is written anew: none of its lines is torn then. */
    synchronized void open() throws IOException {
        Files.createDirectories(folder);
        if (!Files.exists(data)) {
            Files.createFile(data);
        }
        StringBuilder lines = new StringBuilder();
        done.list().forEach(range -> lines.append(line(range)));
        AtomicFiles.writeString(record, lines.toString());
    }

    /** Forgets all bytes. */
    synchronized void clear() throws IOException {
        delete();
        done = new ByteRanges();
        open();
    }

    /** Takes all bytes from a local file of the right size. */
    synchronized void copy(Path source) throws IOException {
        clear();
        Files.copy(source, data, StandardCopyOption.REPLACE_EXISTING);
        if (size > 0) {
            written(new Range(0, size));
        }
    }

    synchronized void delete() throws IOException {
        Files.deleteIfExists(record);
        Files.deleteIfExists(data);
    }

    /** Hands the complete file over: its bytes reach the disk, and the record goes. */
    synchronized void complete() throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(data.toFile(), "rw")) {
            file.getFD().sync();
        }
        Files.deleteIfExists(record);
    }

    /** Opens the bytes for one writer. Not a channel: an interrupted thread must still be able to write. */
    RandomAccessFile writer(long position) throws IOException {
        try {
            RandomAccessFile file = new RandomAccessFile(data.toFile(), "rw");
            file.seek(position);
            return file;
        } catch (IOException e) {
            throw local(data, e);
        }
    }

    /** Writes the first {@code length} bytes of a buffer. */
    void write(RandomAccessFile writer, byte[] buffer, int length) throws IOException {
        try {
            writer.write(buffer, 0, length);
        } catch (IOException e) {
            throw local(data, e);
        }
    }

    /** Records bytes that a writer has written. */
    synchronized void written(Range range) throws IOException {
        try (OutputStream out = new FileOutputStream(record.toFile(), true)) {
            out.write(line(range).getBytes(StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            throw local(record, e);
        }
        done.add(range);
    }

    /** An error of our own disk, apart from those of the network, which are worth another try. */
    private static FileSystemException local(Path file, IOException error) {
        FileSystemException local = new FileSystemException(file.toString(), null, error.getMessage());
        local.initCause(error);
        return local;
    }

    private static String line(Range range) {
        return range.start() + " " + range.end() + "\n";
    }
}
