package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.SafetensorsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PeftAdapterTest {
    private static final Path GOLDEN = Path.of(System.getProperty("fedlora.golden"));
    private static final String QUERY = "model.layers.0.self_attn.q_proj";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"mha-untied-f32", "gqa-tied-bf16", "mqa-f16", "head-dim-f32", "new-style-config"})
    void readsAndWritesTheSameValues(String name) throws IOException {
        LlamaConfig model = model(GOLDEN.resolve("toy").resolve(name));
        AdapterState adapter =
                PeftAdapter.read(GOLDEN.resolve("toy").resolve(name).resolve("adapter"), model);
        PeftAdapter.write(adapter, folder.resolve("copy"), name);

        assertThat(PeftAdapter.read(folder.resolve("copy"), model)).isEqualTo(adapter);
    }

    /** Names, shapes and settings are those of the folder that PEFT itself wrote. */
    @ParameterizedTest
    @ValueSource(strings = {"mha-untied-f32", "gqa-tied-bf16", "head-dim-f32", "new-style-config"})
    void writesWhatPeftWrites(String name) throws IOException {
        Path toy = GOLDEN.resolve("toy").resolve(name);
        Path golden = toy.resolve("adapter");
        PeftAdapter.write(PeftAdapter.read(golden, model(toy)), folder.resolve("copy"), "org/base");
        try (SafetensorsFile wanted = SafetensorsFile.open(golden.resolve("adapter_model.safetensors"));
                SafetensorsFile written = SafetensorsFile.open(folder.resolve("copy/adapter_model.safetensors"))) {
            assertThat(written.tensors().keySet()).isEqualTo(wanted.tensors().keySet());
            for (String tensor : wanted.tensors().keySet()) {
                assertThat(written.tensor(tensor))
                        .hasToString(wanted.tensor(tensor).toString());
                assertThat(written.floats(tensor)).containsExactly(wanted.floats(tensor));
            }
        }
        JsonNode wanted = new ObjectMapper()
                .readTree(golden.resolve("adapter_config.json").toFile());
        JsonNode written = new ObjectMapper()
                .readTree(folder.resolve("copy/adapter_config.json").toFile());
        assertThat(written.get("base_model_name_or_path").asText()).isEqualTo("org/base");
        for (Map.Entry<String, JsonNode> field : written.properties()) {
            String key = field.getKey();
            assertThat(wanted.has(key)).as(key).isTrue();
            if (key.equals("target_modules")) {
                assertThat(field.getValue()).containsExactlyInAnyOrderElementsOf(wanted.get(key));
            } else if (!key.equals("base_model_name_or_path")) {
                assertThat(field.getValue()).as(key).isEqualTo(wanted.get(key));
            }
        }
        assertThat(written.fieldNames())
                .toIterable()
                .contains("peft_type", "task_type", "r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern");
    }

    @Test
    void readsTheSettings() throws IOException {
        Path toy = GOLDEN.resolve("toy").resolve("head-dim-f32");
        LoraConfig config = PeftAdapter.read(toy.resolve("adapter"), model(toy)).config();

        assertThat(config)
                .isEqualTo(new LoraConfig(
                        4,
                        8,
                        Set.copyOf(LoraConfig.PROJECTIONS),
                        0,
                        false,
                        Map.of("layers.1.mlp.down_proj", 6, "q_proj", 2),
                        Map.of("layers.0.mlp.up_proj", 16.0, "q_proj", 3.0)));
        assertThat(config.rank("model.layers.1.mlp.down_proj")).isEqualTo(6);
        assertThat(config.scale(QUERY)).isEqualTo(1.5);
    }

    @Test
    void writesTheDecompositionBeside() throws IOException {
        Path toy = GOLDEN.resolve("toy").resolve("mha-untied-f32");
        AdapterState adapter = PeftAdapter.read(toy.resolve("adapter"), model(toy));
        DecomposedAdapter decomposed = DecomposedAdapter.of(adapter, MagnitudeAxis.COLUMN);
        PeftAdapter.write(adapter, MagnitudeAxis.COLUMN, folder.resolve("copy"), "base");

        assertThat(PeftAdapter.read(folder.resolve("copy"), model(toy))).isEqualTo(adapter);
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("copy").resolve("decomposition.safetensors"))) {
            assertThat(file.metadata()).containsEntry("magnitude-axis", "column");
            assertThat(file.tensors()).hasSize(4 * adapter.modules().size());
            DecomposedPair pair = decomposed.pair(QUERY);
            assertThat(file.floats(QUERY + ".lora_A.direction"))
                    .containsExactly(pair.aDirection().values());
            assertThat(file.floats(QUERY + ".lora_B.magnitude"))
                    .containsExactly(pair.bMagnitude().values());
            assertThat(file.tensor(QUERY + ".lora_B.magnitude").shape()).containsExactly(4);
        }
    }

    @Test
    void anUntrainedAdapterHasNoDecomposition() throws IOException {
        LlamaConfig model = model(GOLDEN.resolve("bad").resolve("ok"));
        LoraConfig config = LoraConfig.of(2, 4, "q_proj");
        AdapterState untrained = AdapterState.initial(config, ModuleShape.of(model, config), 1);
        PeftAdapter.write(untrained, MagnitudeAxis.ROW, folder.resolve("untrained"), "base");
        assertThat(PeftAdapter.read(folder.resolve("untrained"), model)).isEqualTo(untrained);
        assertThat(folder.resolve("untrained/decomposition.safetensors")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "adapter-missing-b | lora_B.weight is missing",
                "adapter-rank-mismatch | by the model and by r in adapter_config.json",
                "adapter-unknown-target | target_modules is [\"query_key_value\"]; wanted some of [q_proj",
                "adapter-layer-outside | the model has no such module",
                "adapter-wrong-shape | by the model and by r in adapter_config.json",
                "adapter-a-b-mismatch | by the model and by r in adapter_config.json",
                "adapter-not-lora | peft_type is \"PREFIX_TUNING\"; wanted LORA",
            })
    void refusesMalformedFolders(String name, String message) throws IOException {
        Path bad = GOLDEN.resolve("bad");
        LlamaConfig model = model(bad.resolve("ok"));
        assertThat(PeftAdapter.read(bad.resolve("ok-adapter"), model).modules()).isNotEmpty();

        assertThatThrownBy(() -> PeftAdapter.read(bad.resolve(name), model))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(bad.resolve(name).toString())
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"use_dora\": true | use_dora is true; wanted none",
                "\"modules_to_save\": [\"lm_head\"] | modules_to_save",
                "\"layers_to_transform\": 0 | layers_to_transform is 0",
                "\"init_lora_weights\": \"pissa_niter_4\" | init_lora_weights",
                "\"bias\": \"all\" | bias is \"all\"; wanted none",
                "\"task_type\": \"SEQ_CLS\" | task_type",
                "\"lora_dropout\": \"much\" | lora.dropout: -1.0",
                "\"rank_pattern\": {\"q_proj\": 0} | rank_pattern: q_proj is 0",
                "\"rank_pattern\": {\"(\": 1} | the pattern '(' is not a regular expression",
                "\"target_modules\": \".*\" | target_modules is \".*\"; wanted a list",
            })
    void refusesSettingsThatItDoesNotHave(String setting, String message) throws IOException {
        var config = (ObjectNode) new ObjectMapper()
                .readTree(GOLDEN.resolve("bad/ok-adapter/adapter_config.json").toFile());
        config.setAll((ObjectNode) new ObjectMapper().readTree("{" + setting + "}"));
        Files.writeString(folder.resolve("adapter_config.json"), config.toString());

        assertThatThrownBy(() -> PeftAdapter.read(folder, model(GOLDEN.resolve("bad/ok"))))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(folder.resolve("adapter_config.json").toString())
                .hasMessageContaining(message);
    }

    /** A file that was cut off anywhere. */
    @ParameterizedTest
    @ValueSource(strings = {"adapter_model.safetensors", "adapter_config.json"})
    void refusesEveryPrefixOfAFile(String name) throws IOException {
        LlamaConfig model = model(GOLDEN.resolve("bad/ok"));
        for (String file : List.of("adapter_model.safetensors", "adapter_config.json")) {
            Files.copy(GOLDEN.resolve("bad/ok-adapter").resolve(file), folder.resolve(file));
        }
        byte[] whole = Files.readAllBytes(folder.resolve(name));
        for (int length = 0;
                length
                        < new String(whole, StandardCharsets.ISO_8859_1)
                                .stripTrailing()
                                .length();
                length++) {
            Files.write(folder.resolve(name), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> PeftAdapter.read(folder, model))
                    .as("%d bytes", length)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(name);
        }
    }

    @Test
    void refusesInfiniteValuesAndTensorsOfOtherKinds() throws IOException {
        LlamaConfig model = model(GOLDEN.resolve("bad/ok"));
        AdapterState adapter = PeftAdapter.read(GOLDEN.resolve("bad/ok-adapter"), model);
        PeftAdapter.write(adapter, folder.resolve("sound"), "ok");
        adapter.pair(QUERY).a().values()[3] = Float.POSITIVE_INFINITY;
        PeftAdapter.write(adapter, folder.resolve("infinite"), "ok");

        assertThat(PeftAdapter.read(folder.resolve("sound"), model).modules().keySet())
                .isEqualTo(adapter.modules().keySet());
        assertThatThrownBy(() -> PeftAdapter.read(folder.resolve("infinite"), model))
                .hasMessageContaining(QUERY + ".lora_A.weight holds a value that is not finite");
        Files.copy(
                GOLDEN.resolve("bad/ok/model.safetensors"),
                folder.resolve("sound/adapter_model.safetensors"),
                StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> PeftAdapter.read(folder.resolve("sound"), model))
                .hasMessageContaining("is unknown; wanted names like base_model.model.<module>.lora_A.weight");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mha-untied-f32", "gqa-tied-bf16"})
    void mergesAsPeftDoes(String name) throws IOException {
        Path toy = GOLDEN.resolve("toy").resolve(name);
        AdapterState adapter = PeftAdapter.read(toy.resolve("adapter"), model(toy));
        try (SafetensorsFile base = SafetensorsFile.open(toy.resolve("model.safetensors"));
                SafetensorsFile merged =
                        SafetensorsFile.open(toy.resolve("merged").resolve("model.safetensors"))) {
            for (String module : adapter.modules().keySet()) {
                LoraPair pair = adapter.pair(module);
                Matrix weight = Matrix.of(pair.out(), pair.in(), base.floats(module + ".weight"));
                assertThat(pair.merge(weight, adapter.config().scale(module)).values())
                        .containsExactly(merged.floats(module + ".weight"), within(1e-6f));
            }
        }
    }

    private static LlamaConfig model(Path checkpoint) throws IOException {
        return LlamaConfig.read(checkpoint.resolve("config.json"));
    }
}
