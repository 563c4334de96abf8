package org.fedlora4j.hub;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.common.BadInputException;
import org.jspecify.annotations.Nullable;

/**
 * Where the hub is and what is known of it here, as huggingface_hub takes them from the environment (constants.py,
 * utils/_auth.py): {@code HF_ENDPOINT}; {@code HF_TOKEN}, or the file {@code HF_TOKEN_PATH}, by default
 * {@code $HF_HOME/token}; {@code HF_HUB_CACHE}, by default {@code $HF_HOME/hub}; {@code HF_HUB_OFFLINE}.
 * {@code HF_HOME} is {@code ~/.cache/huggingface} unless set, {@code ~/.cache} is {@code XDG_CACHE_HOME}. The older
 * names {@code HUGGINGFACE_HUB_CACHE} and {@code HUGGING_FACE_HUB_TOKEN} work too. An empty variable counts as unset.
 *
 * @param endpoint http or https, without a slash at its end
 * @param token sent to the endpoint, and to no other host
 * @param tokenFile where the token is looked for when no variable holds it
 * @param cache the folder that holds {@code models--org--name}
 * @param offline whether nothing may be fetched
 */
public record HubSettings(URI endpoint, @Nullable String token, Path tokenFile, Path cache, boolean offline) {
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:(\\w+)|\\{([^}]*)})");
    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");

    public HubSettings {
        String scheme = endpoint.getScheme();
        if (!("http".equals(scheme) || "https".equals(scheme))
                || endpoint.getHost() == null
                || endpoint.getRawUserInfo() != null
                || endpoint.getRawQuery() != null
                || endpoint.getRawFragment() != null
                || endpoint.toString().endsWith("/")) {
            throw new BadInputException("HF_ENDPOINT: wanted https://HOST, http://HOST or one of them with a path");
        }
        if (token != null && !token.matches("[\\x21-\\x7e]+")) {
            throw new BadInputException("HF_TOKEN, or else " + tokenFile
                    + ": the token holds a character that no token has, such as a blank");
        }
    }

    /**
     * Reads the settings, and the token file where it is needed.
     *
     * @param environment such as {@link System#getenv()}
     * @param home the user's folder, for {@code ~}
     */
    public static HubSettings of(Map<String, String> environment, Path home) throws IOException {
        Environment variables = new Environment(environment, home);
        Path cacheHome = variables.path("XDG_CACHE_HOME", home.resolve(".cache"));
        Path hubHome = variables.path("HF_HOME", cacheHome.resolve("huggingface"));
        Path tokenFile = variables.path("HF_TOKEN_PATH", hubHome.resolve("token"));
        return new HubSettings(
                endpoint(variables.get("HF_ENDPOINT", "https://huggingface.co")),
                variables.isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") ? null : token(variables, tokenFile),
                tokenFile,
                variables.path("HF_HUB_CACHE", variables.path("HUGGINGFACE_HUB_CACHE", hubHome.resolve("hub"))),
                variables.isTrue(variables.has("HF_HUB_OFFLINE") ? "HF_HUB_OFFLINE" : "TRANSFORMERS_OFFLINE"));
    }

    /** Without the token. */
    @Override
    public String toString() {
        return endpoint + ", cache " + cache + (token == null ? "" : ", with a token") + (offline ? ", offline" : "");
    }

    /** What a message on a refused repository says of the token: whether there is one, and how to give one. */
    String describeToken() {
        return token == null
                ? "set HF_TOKEN, or write a token to " + tokenFile
                : "the token in HF_TOKEN, or else in " + tokenFile + ", does not give access";
    }

    private static URI endpoint(String text) {
        try {
            return new URI(text.replaceFirst("/+$", ""));
        } catch (URISyntaxException e) {
            throw new BadInputException("HF_ENDPOINT: found what is no address, wanted such as https://HOST", e);
        }
    }

    private static @Nullable String token(Environment variables, Path file) throws IOException {
        String token = variables.get("HF_TOKEN", variables.get("HUGGING_FACE_HUB_TOKEN", ""));
        if (token.isEmpty() && Files.isRegularFile(file)) {
            token = Files.readString(file, StandardCharsets.ISO_8859_1);
        }
        token = token.replaceAll("[\\r\\n]", "").strip();
        return token.isEmpty() ? null : token;
    }

    private record Environment(Map<String, String> variables, Path home) {
        boolean has(String name) {
            return !get(name, "").isEmpty();
        }

        String get(String name, String otherwise) {
            String value = variables.getOrDefault(name, "");
            return value.isEmpty() ? otherwise : value;
        }

        boolean isTrue(String name) {
            return TRUE.contains(get(name, "").toUpperCase(Locale.ROOT));
        }

        /** With {@code ~}, {@code $NAME} and {@code ${NAME}} expanded; an unknown variable stays as it is. */
        Path path(String name, Path otherwise) {
            if (!has(name)) {
                return otherwise;
            }
            Matcher matcher = VARIABLE.matcher(get(name, "").replaceFirst("^~(?=/|\\\\|$)", quoted(home.toString())));
            String expanded = matcher.replaceAll(found -> {
                String variable = found.group(1) == null ? found.group(2) : found.group(1);
                return quoted(get(variable, found.group()));
            });
            try {
                return Path.of(expanded);
            } catch (InvalidPathException e) {
                throw new BadInputException(name + ": found what is no path, wanted a path", e);
            }
        }

        private static String quoted(String replacement) {
            return Matcher.quoteReplacement(replacement);
        }
    }
}
