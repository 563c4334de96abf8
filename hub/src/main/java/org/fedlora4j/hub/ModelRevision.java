package org.fedlora4j.hub;

import java.util.Locale;
import java.util.regex.Pattern;
import org.fedlora4j.common.BadInputException;

/**
 * A model repository and a revision of it, by the hub's rules (huggingface_hub's utils/_validators.py,
 * git-check-ref-format).
 *
 * @param repository {@code name} or {@code organisation/name}
 * @param revision a branch, a tag, {@code refs/pr/1} or a commit
 */
public record ModelRevision(String repository, String revision) {
    private static final Pattern REPOSITORY =
            Pattern.compile("(NAME/)?NAME".replace("NAME", "\\w(?:[\\w.-]{0,94}\\w)?"));
    private static final Pattern REVISION = Pattern.compile("[^\\x00-\\x20\\x7f~^:?*\\[\\\\]{1,255}");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    public ModelRevision {
        if (!REPOSITORY.matcher(repository).matches()
                || repository.contains("--")
                || repository.contains("..")
                || repository.toLowerCase(Locale.ROOT).endsWith(".git")) {
            throw new BadInputException("repository: found '" + RepositoryPath.printable(repository)
                    + "', wanted ORGANISATION/NAME of letters, digits, '-', '_' and '.'");
        }
        if (!REVISION.matcher(revision).matches()
                || revision.contains("..")
                || revision.startsWith("-")
                || !RepositoryPath.isValid(revision)) {
            throw new BadInputException(
                    "revision: found '" + RepositoryPath.printable(revision) + "', wanted a branch, a tag or a commit");
        }
    }

    /** Whether the revision is a commit, whose files never change. */
    boolean isCommit() {
        return isCommit(revision);
    }

    static boolean isCommit(String text) {
        return COMMIT.matcher(text).matches();
    }

    /** {@code models--organisation--name}, the repository's folder in the cache. */
    String cacheFolder() {
        return "models--" + repository.replace("/", "--");
    }

    @Override
    public String toString() {
        return repository;
    }
}
