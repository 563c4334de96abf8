package org.fedlora4j.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.hub.ByteRanges.Range;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The environment, names, and the choice of files. */
class SettingsTest {
    @TempDir
    Path home;

    @Test
    void defaults() throws IOException {
        HubSettings settings = of(Map.of("HF_HOME", "", "HF_ENDPOINT", ""));
        assertThat(settings.endpoint()).hasToString("https://huggingface.co");
        assertThat(settings.token()).isNull();
        assertThat(settings.cache()).isEqualTo(home.resolve(".cache/huggingface/hub"));
        assertThat(settings.tokenFile()).isEqualTo(home.resolve(".cache/huggingface/token"));
        assertThat(settings.offline()).isFalse();
    }

    @Test
    void pathsComeInTheClientsOrder() throws IOException {
        Map<String, String> variables = new TreeMap<>(Map.of("XDG_CACHE_HOME", "/xdg"));
        assertThat(of(variables).cache()).isEqualTo(Path.of("/xdg/huggingface/hub"));
        variables.put("HF_HOME", "~/hf");
        assertThat(of(variables).cache()).isEqualTo(home.resolve("hf/hub"));
        variables.put("HUGGINGFACE_HUB_CACHE", "${XDG_CACHE_HOME}/old/$NONE");
        assertThat(of(variables).cache()).isEqualTo(Path.of("/xdg/old/$NONE"));
        variables.put("HF_HUB_CACHE", "$HF_HOME/new");
        assertThat(of(variables).cache()).isEqualTo(Path.of("~/hf/new"));
        assertThat(of(variables).tokenFile()).isEqualTo(home.resolve("hf/token"));
        variables.put("HF_TOKEN_PATH", "/secret/token");
        assertThat(of(variables).tokenFile()).isEqualTo(Path.of("/secret/token"));
    }

    @Test
    void tokens() throws IOException {
        Path file = Files.createDirectories(home.resolve(".cache/huggingface")).resolve("token");
        Files.writeString(file, " hf_file\n");
        assertThat(of(Map.of()).token()).isEqualTo("hf_file");
        Files.write(file, new byte[] {'h', 'f', (byte) 0xff});
        assertThatThrownBy(() -> of(Map.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(file.toString());
        assertThat(of(Map.of("HUGGING_FACE_HUB_TOKEN", "hf_old")).token()).isEqualTo("hf_old");
        assertThat(of(Map.of("HUGGING_FACE_HUB_TOKEN", "hf_old", "HF_TOKEN", "hf_new\n"))
                        .token())
                .isEqualTo("hf_new");
        assertThat(of(Map.of("HF_TOKEN", "hf_new", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"))
                        .token())
                .isNull();
        assertThat(of(Map.of("HF_TOKEN", "hf_new"))).asString().doesNotContain("hf_new");
        assertThatThrownBy(() -> of(Map.of("HF_TOKEN", "hf_a b")))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("HF_TOKEN")
                .hasMessageNotContaining("hf_a");
    }

    @Test
    void offlineIsTrueInTheClientsWords() throws IOException {
        for (String yes : List.of("1", "ON", "yes", "True")) {
            assertThat(of(Map.of("HF_HUB_OFFLINE", yes)).offline()).as(yes).isTrue();
        }
        assertThat(of(Map.of("TRANSFORMERS_OFFLINE", "1")).offline()).isTrue();
        assertThat(of(Map.of("TRANSFORMERS_OFFLINE", "1", "HF_HUB_OFFLINE", "0"))
                        .offline())
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"huggingface.co", "ftp://host", "https://", "https://user:secret@host", "https://h?q=1", "a b"})
    void badEndpointsAreNamed(String endpoint) {
        assertThatThrownBy(() -> of(Map.of("HF_ENDPOINT", endpoint)))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("HF_ENDPOINT: ")
                .hasMessageNotContaining("secret");
    }

    @Test
    void endpointsMayHaveAPath() throws IOException {
        assertThat(of(Map.of("HF_ENDPOINT", "http://mirror:8080/hf//")).endpoint())
                .hasToString("http://mirror:8080/hf");
    }

    @Test
    void repositoriesAndRevisionsByTheHubsRules() {
        for (String good : List.of("foo", "foo/bar", "123", "Foo-BAR_foo.bar123", "a/b.c-d")) {
            assertThat(new ModelRevision(good, "main").cacheFolder()).isEqualTo("models--" + good.replace("/", "--"));
        }
        for (String bad : List.of(
                "",
                "a/b/c",
                ".a",
                "a-",
                "foo--bar",
                "a..b",
                "foo.git",
                "a b",
                "a/",
                "/a",
                "..",
                "a/..",
                "x".repeat(97),
                "ä",
                "a\nb",
                "a\\b")) {
            assertThatThrownBy(() -> new ModelRevision(bad, "main"))
                    .as(bad)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("repository: found '")
                    .hasMessageNotContaining("\n");
        }
        for (String good : List.of("main", "v1.0", "refs/pr/1", "feature/x-y", FakeHub.COMMIT)) {
            assertThat(new ModelRevision("a", good).revision()).isEqualTo(good);
        }
        for (String bad : List.of(
                "",
                "../x",
                "a..b",
                "a b",
                "a~1",
                "a^",
                "a:b",
                "/a",
                "a/",
                "-x",
                "a\\b",
                "a\u001bb",
                ".",
                "a/./b",
                "x".repeat(256))) {
            assertThatThrownBy(() -> new ModelRevision("a", bad))
                    .as(bad)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("revision: found '");
        }
    }

    @Test
    void theWeightsAreChosenOnce() {
        ModelRevision model = new ModelRevision("org/model", "main");
        Set<String> all = Set.of(
                "config.json",
                "generation_config.json",
                "tokenizer.model",
                "chat_template.jinja",
                "README.md",
                "consolidated.00.pth",
                "original/params.json",
                "model.safetensors.index.json",
                "model-00001-of-00001.safetensors",
                "pytorch_model.bin",
                "tf_model.h5",
                "onnx/model.onnx");
        CheckpointFiles sharded = CheckpointFiles.of(model, all);
        assertThat(sharded.index()).isEqualTo("model.safetensors.index.json");
        assertThat(sharded.names())
                .containsExactly(
                        "config.json",
                        "generation_config.json",
                        "tokenizer.model",
                        "chat_template.jinja",
                        "model.safetensors.index.json");
        assertThat(CheckpointFiles.of(model, Set.of("config.json", "pytorch_model.bin")))
                .isEqualTo(new CheckpointFiles(List.of("config.json", "pytorch_model.bin"), null));
        assertThat(CheckpointFiles.of(model, Set.of("adapter_config.json", "adapter_model.safetensors", "x")))
                .isEqualTo(new CheckpointFiles(List.of("adapter_config.json", "adapter_model.safetensors"), null));
        assertThatThrownBy(() -> CheckpointFiles.of(model, Set.of("adapter_config.json", "adapter_model.bin")))
                .hasMessage("org/model: has no adapter_model.safetensors");
        assertThatThrownBy(() -> CheckpointFiles.of(model, Set.of("model.safetensors")))
                .hasMessage("org/model: has no config.json");
        assertThatThrownBy(() -> CheckpointFiles.of(model, Set.of("b.gguf", "a.gguf", "config.json")))
                .isInstanceOf(BadInputException.class)
                .hasMessageEndingWith("; choose with --file: a.gguf, b.gguf");
    }

    @Test
    void rangesMerge() {
        ByteRanges ranges = new ByteRanges();
        ranges.add(new Range(10, 20));
        ranges.add(new Range(30, 40));
        ranges.add(new Range(20, 25));
        assertThat(ranges.list()).containsExactly(new Range(10, 25), new Range(30, 40));
        assertThat(ranges.gaps(50, 6))
                .containsExactly(
                        new Range(0, 6), new Range(6, 10), new Range(25, 30), new Range(40, 46), new Range(46, 50));
        ranges.add(new Range(0, 35));
        assertThat(ranges.list()).containsExactly(new Range(0, 40));
        assertThat(ranges.total()).isEqualTo(40);
        assertThat(ranges.gaps(40, 6)).isEmpty();
        ranges.add(new Range(5, 6));
        assertThat(ranges.list()).containsExactly(new Range(0, 40));
    }

    private HubSettings of(Map<String, String> environment) throws IOException {
        return HubSettings.of(environment, home);
    }
}
