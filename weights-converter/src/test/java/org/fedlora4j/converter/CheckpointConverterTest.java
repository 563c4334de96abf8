package org.fedlora4j.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter.Options;
import org.fedlora4j.converter.CheckpointConverter.Summary;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointConverterTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path temporary;

    private static Path golden(String name) {
        Path path = Path.of(System.getProperty("fedlora.golden"), name);
        assertThat(path).exists();
        return path;
    }

    private Summary convert(Path source, String target) throws IOException {
        return CheckpointConverter.convert(source, temporary.resolve(target), Options.DEFAULT, Progress.none());
    }

    @ParameterizedTest
    @ValueSource(strings = {"mha-untied-f32", "gqa-tied-bf16", "head-dim-f32", "rope-llama3-bf16", "new-style-config"})
    void keepsEveryValueAndAlignsEveryTensor(String name) throws IOException {
        Path source = golden("toy/" + name);
        Summary summary = convert(source, "converted");
        Path target = temporary.resolve("converted");
        long parameters = 0;
        int tensors = 0;
        try (Checkpoint before = Checkpoint.open(source);
                Checkpoint after = Checkpoint.open(target)) {
            assertThat(after.config()).isEqualTo(before.config());
            for (Parameter parameter : ParameterNames.of(before.config()).toList()) {
                String weight = parameter.name();
                assertThat(after.floats(weight)).isEqualTo(before.floats(weight));
                assertThat(after.info(weight).type())
                        .isEqualTo(before.info(weight).type());
                assertThat(after.info(weight).begin() % 64).as(weight).isZero();
                parameters += before.info(weight).elements();
                tensors++;
            }
        }
        assertThat(summary.tensors()).isEqualTo(tensors);
        assertThat(summary.parameters()).isEqualTo(parameters);
        assertThat(summary.bytes()).isEqualTo(Files.size(target.resolve("model.safetensors")));
        assertThat(summary.type()).isEqualTo(name.contains("f32") ? "F32" : "BF16");
        assertThat(summary.seconds()).isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"mqa-f16", "rope-linear-bf16", "theta-1e6-bf16"})
    void readsPyTorchFiles(String name) throws IOException {
        Summary summary = convert(golden("toy/" + name), "converted");
        assertThat(summary.type()).isEqualTo(name.contains("bf16") ? "BF16" : "F16");
    }

    @Test
    void aFileOrItsIndexIsAsGoodAsItsFolder() throws IOException {
        for (String source : List.of(
                "mha-untied-f32/model.safetensors",
                "head-dim-f32/model.safetensors.index.json",
                "mqa-f16/pytorch_model.bin",
                "theta-1e6-bf16/pytorch_model.bin.index.json")) {
            String name = source.substring(0, source.indexOf('/'));
            convert(golden("toy/" + source), name + "-file");
            convert(golden("toy/" + name), name + "-folder");
            assertThat(temporary.resolve(name + "-file/model.safetensors"))
                    .hasSameBinaryContentAs(temporary.resolve(name + "-folder/model.safetensors"));
        }
    }

    /** The PyTorch file beside them is another model's, and not read unless it is named. */
    @Test
    void safetensorsWin() throws IOException {
        Path source = Files.createDirectory(temporary.resolve("both"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(golden("bad/ok").resolve(file), source.resolve(file));
        }
        Files.copy(golden("bad/pickle-exec/pytorch_model.bin"), source.resolve("pytorch_model.bin"));
        convert(source, "converted");
        assertThatThrownBy(() -> convert(source.resolve("pytorch_model.bin"), "named"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("pytorch_model.bin: the pickle asks for builtins.exec; only tensors are read");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model.norm.weight | ../shard.bin | wanted the name of a file in the folder",
                "model.norm.weight | nowhere.bin | nowhere.bin: no such file",
                "lm_head.bias | shard.bin | lm_head.bias is missing; pytorch_model.bin.index.json places it there",
            })
    void refusesBadIndicesOfPyTorchFiles(String tensor, String shard, String message) throws IOException {
        Path source = Files.createDirectory(temporary.resolve("sharded"));
        Files.copy(golden("toy/mqa-f16/config.json"), source.resolve("config.json"));
        Files.copy(golden("toy/mqa-f16/pytorch_model.bin"), source.resolve("shard.bin"));
        Files.copy(golden("toy/mqa-f16/pytorch_model.bin"), temporary.resolve("shard.bin"));
        Path index = source.resolve("pytorch_model.bin.index.json");
        Files.writeString(index, JSON.writeValueAsString(Map.of("weight_map", Map.of(tensor, shard))));
        assertThatThrownBy(() -> convert(source, "converted"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(message);
    }

    @Test
    void copiesWhatBelongsToTheModelAndSaysWhereItCameFrom() throws IOException, NoSuchAlgorithmException {
        Path source = temporary.resolve("source");
        Files.createDirectory(source);
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(golden("bad/ok").resolve(file), source.resolve(file));
        }
        assertThat(source.resolve("config.json").toFile().setReadOnly()).isTrue();
        Files.writeString(source.resolve("tokenizer.json"), "{\"a\": 1}");
        Files.writeString(source.resolve("notes.txt"), "private");
        convert(source, "converted");

        Path target = temporary.resolve("converted");
        try (Stream<Path> files = Files.list(target)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("config.json", "fedlora.json", "model.safetensors", "tokenizer.json");
        }
        assertThat(JSON.readTree(target.resolve("config.json").toFile()))
                .isEqualTo(JSON.readTree(source.resolve("config.json").toFile()));
        assertThat(target.resolve("tokenizer.json")).hasSameBinaryContentAs(source.resolve("tokenizer.json"));
        assertThat(Files.getPosixFilePermissions(target.resolve("config.json")))
                .as("writable, though the source is not")
                .contains(PosixFilePermission.OWNER_WRITE);
        JsonNode origin = JSON.readTree(target.resolve("fedlora.json").toFile());
        assertThat(origin.get("formatVersion").asInt()).isEqualTo(1);
        assertThat(origin.get("source").asText()).isEqualTo(source.toString());
        assertThat(origin.get("sha256").asText())
                .isEqualTo(HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256")
                                .digest(Files.readAllBytes(target.resolve("model.safetensors")))));
    }

    @Test
    void convertingTwiceGivesTheSameFile() throws IOException {
        convert(golden("toy/head-dim-f32"), "first");
        convert(temporary.resolve("first"), "second");
        assertThat(temporary.resolve("second/model.safetensors"))
                .hasSameBinaryContentAs(temporary.resolve("first/model.safetensors"));
    }

    @Test
    void leavesAnExistingTargetAlone() throws IOException {
        Path target = Files.writeString(temporary.resolve("target"), "precious");
        assertThatThrownBy(() -> convert(golden("bad/ok"), "target"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(target + ": exists");
        assertThat(target).hasContent("precious");
    }

    /** Rounded as single values are; pieces and threads don't matter. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void roundsWeightsToTheTypeThatIsAskedFor(ElementType type) throws IOException {
        Path source = golden("toy/mha-untied-f32");
        for (int jobs : new int[] {1, 3}) {
            Path target = temporary.resolve("jobs" + jobs);
            Summary summary = CheckpointConverter.convert(
                    source, target, new Options(Optional.of(WeightType.valueOf(type.name())), jobs), Progress.none());
            assertThat(summary.type()).isEqualTo(type.name());
            try (Checkpoint before = Checkpoint.open(source);
                    Checkpoint after = Checkpoint.open(target)) {
                for (Parameter parameter : ParameterNames.of(before.config()).toList()) {
                    float[] values = before.floats(parameter.name());
                    ByteBuffer rounded = ByteBuffer.allocate(values.length * type.bytes());
                    Elements.encode(values, type, rounded);
                    Elements.decode(rounded.flip(), type, values);
                    assertThat(after.type(parameter.name())).isEqualTo(type);
                    assertThat(after.floats(parameter.name())).isEqualTo(values);
                }
            }
            String name = Map.of(ElementType.F32, "float32", ElementType.F16, "float16", ElementType.BF16, "bfloat16")
                    .get(type);
            JsonNode config = JSON.readTree(target.resolve("config.json").toFile());
            assertThat(config.has("dtype") ? config.get("dtype") : config.get("torch_dtype"))
                    .hasToString("\"" + name + "\"");
        }
        assertThat(temporary.resolve("jobs1/model.safetensors"))
                .hasSameBinaryContentAs(temporary.resolve("jobs3/model.safetensors"));
    }

    @Test
    void aSourceThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> convert(temporary.resolve("nowhere"), "target"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("nowhere: no such file or folder");
    }

    /** A file that was cut off anywhere. */
    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "config.json"})
    void refusesEveryPrefixOfAFile(String name) throws IOException {
        Path source = Files.createDirectory(temporary.resolve("source"));
        for (String file : List.of("model.safetensors", "config.json")) {
            Files.copy(golden("bad/ok").resolve(file), source.resolve(file));
        }
        byte[] whole = Files.readAllBytes(source.resolve(name));
        int end = new String(whole, StandardCharsets.ISO_8859_1).stripTrailing().length();
        for (int length = 0; length < end; length++) {
            Files.write(source.resolve(name), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> convert(source, "target"))
                    .as("%d bytes", length)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(name);
        }
        assertThat(temporary).isDirectoryNotContaining(path -> !path.equals(source));
    }

    /** A byte that was changed anywhere in the header is found, or does no harm. */
    @Test
    void survivesChangedBytes() throws IOException {
        long seed = 20_261_123;
        SplittableRandom random = new SplittableRandom(seed);
        Path source = Files.createDirectory(temporary.resolve("source"));
        Files.copy(golden("bad/ok/config.json"), source.resolve("config.json"));
        byte[] whole = Files.readAllBytes(golden("bad/ok/model.safetensors"));
        int headerBytes = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getInt();
        int refused = 0;
        for (int i = 0; i < 2000; i++) {
            byte[] changed = whole.clone();
            int at = random.nextInt(Long.BYTES + headerBytes);
            changed[at] ^= (byte) (1 + random.nextInt(255));
            Files.write(source.resolve("model.safetensors"), changed);
            try {
                SourceModel.open(source).close();
            } catch (BadInputException e) {
                refused++;
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", byte " + at + ": " + e, e);
            }
        }
        assertThat(refused).isGreaterThan(1000);
    }

    static Stream<Arguments> badSources() throws IOException {
        JsonNode bad = JSON.readTree(golden("bad/bad.json").toFile());
        return StreamSupport.stream(bad.get("inputs").spliterator(), false)
                .filter(input ->
                        List.of("checkpoint", "gguf").contains(input.get("kind").asText()))
                .map(input -> Arguments.of(
                        input.get("name").asText(),
                        JSON.convertValue(input.get("message_should_name"), String[].class)));
    }

    @ParameterizedTest
    @MethodSource("badSources")
    void refusesBadSourcesAndLeavesNothing(String name, String[] shouldName) throws IOException {
        Path source = golden("bad/" + name);
        assertThatThrownBy(() -> convert(source, "target"))
                .isInstanceOf(BadInputException.class)
                .message()
                .contains(shouldName)
                .doesNotContain("\n");
        assertThat(temporary).isEmptyDirectory();
        assertThat(Path.of("EXECUTED")).doesNotExist();
    }
}
