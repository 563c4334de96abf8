package org.fedlora4j.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Where a revision's files go. */
interface Destination {
    /** The folder that holds the files under their names. */
    Path folder();

    /** Folder of what is not complete yet, in the file system of {@link #folder}. */
    Path partials();

    /** The file that a process locks while it writes here. */
    Path lock();

    /** Whether the file is there; nothing needs to be fetched then. */
    boolean has(HubFile file) throws IOException;

    /**
     * Moves a file to its place.
     *
     * @param files the names of this content, at least one
     * @param complete in {@link #partials}, and checked
     */
    void add(List<HubFile> files, Path complete) throws IOException;

    /** Called once everything is there. */
    void finish() throws IOException;
}
