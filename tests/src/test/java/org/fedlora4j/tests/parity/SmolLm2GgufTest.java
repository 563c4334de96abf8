package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.fedlora4j.tests.parity.ParityReport.check;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;
import org.fedlora4j.converter.CheckpointConverter.Options;
import org.fedlora4j.converter.WeightType;
import org.fedlora4j.converter.gguf.GgufFile;
import org.fedlora4j.converter.gguf.GgufTensor;
import org.fedlora4j.converter.gguf.GgufType;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.FileBytes;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.tests.RealModel;
import org.fedlora4j.tests.parity.ParityReport.Quantity;
import org.fedlora4j.tokenizer.Tokenizer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** SmolLM2-135M-Instruct from its GGUF file, in Q4_1 and Q8_0. */
@Tag("real")
@ExtendWith(ParityReport.class)
@SuppressWarnings("NullAway.Init")
class SmolLm2GgufTest {
    private static final Path GGUF =
            Path.of(System.getProperty("fedlora.shared"), "models/smollm2-135m-instruct/model.gguf");

    // The tolerance of golden/README.md.
    private static final double LOGITS = 5e-4;

    @TempDir
    private Path folder;

    private Path unpacked;

    @BeforeEach
    void unpack() throws Exception {
        unpacked = folder.resolve("unpacked");
        RealModel.unpack(unpacked);
    }

    private Path convert(WeightType type) throws IOException {
        Path target = folder.resolve("converted");
        Options options = new Options(Optional.of(type), Options.DEFAULT.jobs());
        CheckpointConverter.convert(GGUF, target, options, Progress.none());
        return target;
    }

    @Test
    void inBf16TheFileIsTheUnpackedCheckpoint() throws IOException {
        Path converted = convert(WeightType.BF16);
        try (Checkpoint wanted = Checkpoint.open(unpacked);
                Checkpoint found = Checkpoint.open(converted)) {
            assertThat(found.config()).isEqualTo(wanted.config());
            for (Parameter parameter : ParameterNames.of(wanted.config()).toList()) {
                String name = parameter.name();
                assertThat(found.type(name)).isEqualTo(wanted.type(name));
                assertThat(found.floats(name)).as(name).isEqualTo(wanted.floats(name));
            }
        }
        checkTokenizer(converted);
    }

    /**
     * The file's kind of tokenizer, smollm, takes every digit apart, what the unpacked {@code tokenizer.json} does not.
     * That shows only where a blank is before a number that is not in ASCII.
     */
    private void checkTokenizer(Path converted) throws IOException {
        try (Tokenizer wanted = Tokenizer.open(unpacked);
                Tokenizer found = Tokenizer.open(converted)) {
            assertThat(found.bosId()).isEqualTo(wanted.bosId());
            assertThat(found.eosId()).isEqualTo(wanted.eosId());
            assertThat(found.padId()).isEqualTo(wanted.padId());
            assertThat(found.vocabularySize()).isEqualTo(wanted.vocabularySize());
            for (JsonNode prompt : prompts()) {
                String text = prompt.get("text").textValue().replace(" ½", "½");
                assertThat(found.encodeWithSpecialTokens(text)).containsExactly(wanted.encodeWithSpecialTokens(text));
            }
        }
    }

    @Test
    void inF32LogitsAreThoseOfTheDequantisedWeights() throws IOException {
        Path converted = convert(WeightType.F32);
        try (Reference reference = new Reference(Reference.golden("smollm2/logits-gguf.safetensors"));
                LanguageModel model = LanguageModel.open(converted);
                AdaptedModel plain = model.with(Adapter.NONE)) {
            for (JsonNode prompt : prompts()) {
                int[] ids = new ObjectMapper().convertValue(prompt.get("ids"), int[].class);
                float[] found = plain.logits(TokenBatch.of(new int[][] {ids}))[0][ids.length - 1];
                float[] wanted = reference.floats(prompt.get("name").textValue() + ".last_logits");
                check(
                        "smollm2, GGUF",
                        Quantity.LOGITS,
                        Difference.between(found, wanted).absolute(),
                        LOGITS);
            }
        }
    }

    /** Quantised again, its values give the very bytes of the matrix that was Q8_0; the tokenizer and the rest come back. */
    @Test
    void exportedAsQ8TheEmbeddingIsTheFilesOwn() throws IOException {
        Path exported = folder.resolve("exported.gguf");
        Options options = new Options(Optional.of(WeightType.Q8_0), Options.DEFAULT.jobs());
        CheckpointConverter.convert(convert(WeightType.F32), exported, options, Progress.none());
        try (GgufFile wanted = GgufFile.open(GGUF);
                GgufFile found = GgufFile.open(exported)) {
            assertThat(bytes(found, "token_embd.weight")).isEqualTo(bytes(wanted, "token_embd.weight"));
            assertThat(found.tensors().keySet()).isEqualTo(wanted.tensors().keySet());
            for (String key : List.of("tokens", "merges")) {
                assertThat(found.metadata().texts("tokenizer.ggml." + key))
                        .isEqualTo(wanted.metadata().texts("tokenizer.ggml." + key));
            }
            for (String key : List.of("tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.chat_template")) {
                assertThat(found.metadata().text(key))
                        .isEqualTo(wanted.metadata().text(key));
            }
            for (String role : List.of("bos", "eos", "unknown", "padding")) {
                String key = "tokenizer.ggml." + role + "_token_id";
                assertThat(found.metadata().integer(key))
                        .isEqualTo(wanted.metadata().integer(key));
            }
            assertThat(found.metadata().integers("tokenizer.ggml.token_type"))
                    .isEqualTo(wanted.metadata().integers("tokenizer.ggml.token_type"));
        }
    }

    private static byte[] bytes(GgufFile file, String name) throws IOException {
        GgufTensor tensor = Objects.requireNonNull(file.tensors().get(name));
        assertThat(tensor.type()).isEqualTo(GgufType.Q8_0);
        try (FileChannel channel = FileChannel.open(file.path())) {
            return FileBytes.read(channel, tensor.begin(), (int) (tensor.end() - tensor.begin()))
                    .array();
        }
    }

    private static JsonNode prompts() throws IOException {
        return new ObjectMapper()
                .readTree(Reference.golden("smollm2/prompts.json").toFile())
                .get("prompts");
    }
}
