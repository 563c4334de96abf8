package org.fedlora4j.hub;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.fedlora4j.common.BadInputException;
import org.jspecify.annotations.Nullable;

/** Paths inside a repository, which servers and index files name and nobody should trust. */
final class RepositoryPath {
    private static final int LONGEST_PRINTED = 200;

    private RepositoryPath() {}

    /** Whether git allows the path in a tree: relative, no {@code .}, {@code ..} or empty part; nothing unprintable. */
    static boolean isValid(String path) {
        for (String part : path.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                return false;
            }
        }
        return path.equals(printable(path)) && path.indexOf('\\') < 0;
    }

    /** The path below a folder, checked to be there by the rules of this file system too. */
    static Path resolve(Path folder, String path) {
        @Nullable Path resolved;
        try {
            resolved = folder.resolve(path).normalize();
        } catch (InvalidPathException e) {
            resolved = null;
        }
        Path normalFolder = folder.normalize();
        if (resolved == null || !isValid(path) || !resolved.startsWith(normalFolder) || resolved.equals(normalFolder)) {
            throw new BadInputException("the hub lists '" + printable(path) + "', which is no path inside a folder");
        }
        return resolved;
    }

    /** A text from elsewhere, fit for one line on a terminal. */
    static String printable(String text) {
        String plain = text.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}]", "?");
        return plain.length() <= LONGEST_PRINTED ? plain : plain.substring(0, LONGEST_PRINTED) + "...";
    }
}
