package org.fedlora4j.converter.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.converter.torch.PickleValue.Dict;
import org.fedlora4j.converter.torch.PickleValue.Storage;
import org.fedlora4j.converter.torch.PickleValue.Tensor;
import org.fedlora4j.model.weights.ElementType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PickleReaderTest {
    private static final int SHORT_TEXT = 0x8c;
    private static final int STACK_GLOBAL = 0x93;
    private static final int MEMOIZE = 0x94;

    /** An OrderedDict of a tensor and a parameter, with metadata, as {@code torch.save} writes it. */
    private static byte[] stateDict() {
        return Pickles.protocol2()
                .orderedDict()
                .ops("q\1(")
                .text("a")
                .tensor("HalfStorage", "0", 24, 4, new int[] {2, 3}, 3, 1)
                .ops("r\0\1\0\0")
                .text("b")
                .global("torch._utils", "_rebuild_parameter")
                .ops("(j\0\1\0\0")
                .raw(0x88) // NEWTRUE
                .ops("h\1tRu}")
                .text("_metadata")
                .ops("}")
                .text("")
                .ops("}")
                .text("version")
                .ops("K\1sssb")
                .stop();
    }

    @Test
    void buildsTensors() {
        Dict dict = (Dict) PickleReader.read(stateDict());
        assertThat(dict.entries()).containsOnlyKeys("a", "b");
        Tensor tensor = (Tensor) Objects.requireNonNull(dict.entries().get("a"));
        assertThat(tensor.storage()).isEqualTo(new Storage(ElementType.F16, "0", 24));
        assertThat(tensor.view().offset()).isEqualTo(4);
        assertThat(tensor.view().shape()).containsExactly(2, 3);
        assertThat(tensor.view().strides()).containsExactly(3, 1);
        assertThat(dict.entries().get("b")).isSameAs(tensor);
    }

    /** Frames, short texts, globals from the stack and numbered memos, as in protocol 4 and 5. */
    @Test
    void readsLaterProtocols() {
        Dict dict = (Dict) PickleReader.read(new Pickles()
                .raw(0x80, 5, 0x95)
                .ops("12345678")
                .ops("}")
                .raw(MEMOIZE, SHORT_TEXT, 1)
                .ops("k")
                .raw(MEMOIZE, SHORT_TEXT, 11)
                .ops("collections")
                .raw(SHORT_TEXT, 11)
                .ops("OrderedDict")
                .raw(STACK_GLOBAL)
                .ops(")Rs")
                .stop());
        assertThat(dict.entries().get("k")).isInstanceOf(Dict.class);
    }

    @Test
    void readsNumbersOfEveryLength() {
        byte[] pickle = Pickles.protocol2()
                .ops("(K\u00ffM\u00ff\u00ff")
                .number(-5)
                .raw(0x8a, 0)
                .raw(0x8a, 2, 0, 0x80)
                .raw(0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0x80)
                .ops("t")
                .stop();
        assertThat(((PickleValue.Tuple) PickleReader.read(pickle))
                        .values().stream().map(value -> ((PickleValue.Int) value).value()))
                .containsExactly(255L, 65535L, -5L, 0L, -32768L, Long.MIN_VALUE);
    }

    @Test
    void everyPrefixIsRefused() {
        byte[] pickle = stateDict();
        for (int length = 0; length < pickle.length; length++) {
            byte[] prefix = Arrays.copyOf(pickle, length);
            assertThatThrownBy(() -> PickleReader.read(prefix))
                    .as("%d bytes", length)
                    .isInstanceOf(BadInputException.class);
        }
    }

    @Test
    void changedBytesAreRefusedOrHarmless() {
        byte[] pickle = stateDict();
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int refused = 0;
        for (int run = 0; run < 5000; run++) {
            byte[] damaged = pickle.clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            try {
                PickleReader.read(damaged);
            } catch (BadInputException e) {
                assertThat(e.getMessage()).as("seed %d", seed).doesNotContain("\n", "\r");
                refused++;
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(refused).isBetween(1, 4999);
    }

    private static Arguments hostile(String message, UnaryOperator<Pickles> write) {
        return Arguments.of(message, write.apply(Pickles.protocol2()).stop());
    }

    static Stream<Arguments> hostilePickles() {
        return Stream.of(
                hostile("asks for posix.system; only tensors are read", p -> p.global("posix", "system")),
                hostile(
                        "asks for builtins.eval;",
                        p -> p.text("builtins").text("eval").raw(STACK_GLOBAL)),
                hostile("asks for torch.ComplexFloatStorage;", p -> p.global("torch", "ComplexFloatStorage")),
                hostile("asks for the number 1 of a tuple", p -> p.ops(")K\1").raw(STACK_GLOBAL)),
                hostile("control characters", p -> p.global("a\rb", "c")),
                hostile("control characters", p -> p.text("a\u001b[2Jb")),
                hostile("not UTF-8", p -> p.ops("X").uint32(1).raw(0xff)),
                hostile("a text of 4294967295 bytes", p -> p.ops("X").uint32(-1)),
                hostile("a text of 1025 bytes", p -> p.text("a".repeat(1025))),
                hostile(
                        "ends too early; wanted 1024 bytes more",
                        p -> p.ops("X").uint32(1024)),
                hostile("a number of 9 bytes", p -> p.raw(0x8a, 9).ops("123456789")),
                hostile("opcode 0x8b", p -> p.raw(0x8b).uint32(Integer.MAX_VALUE)), // LONG4
                hostile("opcode 0x8d", p -> p.raw(0x8d).ops("\u00ff".repeat(8))), // BINUNICODE8
                hostile("opcode 0x82", p -> p.raw(0x82, 1)), // EXT1
                hostile("opcode 0x84", p -> p.raw(0x84).uint32(1)), // EXT4
                hostile("opcode 0x50", p -> p.ops("P0\n")), // PERSID
                hostile("opcode 0x69", p -> p.ops("(iposix\nsystem\n")), // INST
                hostile("opcode 0x6f", p -> p.ops("(").orderedDict().ops("o")), // OBJ
                hostile(
                        "opcode 0x81",
                        p -> p.global("torch.nn.parameter", "Parameter")
                                .ops(")")
                                .raw(0x81)), // NEWOBJ
                hostile("opcode 0x92", p -> p.ops(")}").raw(0x92)), // NEWOBJ_EX
                hostile("opcode 0x32", p -> p.ops(")2")), // DUP
                hostile("opcode 0x97", p -> p.raw(0x97)), // NEXT_BUFFER
                hostile("opcode 0x49", p -> p.ops("I1\n")), // INT
                hostile("protocol 6", p -> p.raw(0x80, 6)),
                hostile("protocol 1", p -> p.raw(0x80, 1)),
                hostile("takes 1 values where it has made 0", p -> p),
                hostile("takes 2 values where it has made 1", p -> p.ops(")").raw(0x86)),
                hostile("takes 1 values where it has made 0", p -> p.ops("K\1(").raw(0x85)),
                hostile("takes 1 values where it has made 0", p -> p.ops("(u")),
                hostile("that it did not begin", p -> p.ops(")t")),
                hostile("wants memo 7, which is empty", p -> p.ops("h\7")),
                hostile("wants memo 4294967295", p -> p.ops(")r\u00ff\u00ff\u00ff\u00fej\u00ff\u00ff\u00ff\u00ff")),
                hostile("takes 1 values", p -> p.ops("r\u00ff\u00ff\u00ff\u00ff")),
                hostile("puts 3 keys and values into a dict", p -> p.ops("}(K\1K\1K\1u")),
                hostile("puts 2 keys and values into a list", p -> p.ops("]K\1K\1s")),
                hostile("a dict with the number 1 as a key", p -> p.ops("}K\1K\1s")),
                hostile("a dict with a dict as a key", p -> p.ops("}q\0h\0h\0s")),
                hostile(
                        "has x twice",
                        p -> p.ops("}").text("x").ops("Ns").text("x").ops("Ns")),
                hostile("appends 1 values to a dict", p -> p.ops("}Na")),
                hostile("sets attributes of a tuple", p -> p.ops(")}b")),
                hostile("calls a tuple with a tuple", p -> p.ops("))R")),
                hostile(
                        "calls a function with a dict",
                        p -> p.global("collections", "OrderedDict").ops("}R")),
                hostile(
                        "calls a storage's type with a tuple",
                        p -> p.global("torch", "FloatStorage").ops(")R")),
                hostile(
                        "makes an OrderedDict of 1 arguments",
                        p -> p.global("collections", "OrderedDict")
                                .ops("]")
                                .raw(0x85)
                                .ops("R")),
                hostile(
                        "makes a tensor of nothing",
                        p -> p.global("torch._utils", "_rebuild_tensor_v2").ops(")R")),
                hostile(
                        "makes a tensor of None, None, None, None;",
                        p -> p.global("torch._utils", "_rebuild_tensor_v2").ops("(NNNNNtR")),
                hostile(
                        "makes a parameter of None",
                        p -> p.global("torch._utils", "_rebuild_parameter")
                                .ops("N")
                                .raw(0x85)
                                .ops("R")),
                hostile(
                        "has a dict in a tensor's shape",
                        p -> p.global("torch._utils", "_rebuild_tensor_v2")
                                .ops("(")
                                .storage("FloatStorage", "0", 1)
                                .ops("K\0}")
                                .raw(0x85)
                                .ops(")tR")),
                hostile("a tensor of 9 dimensions", p -> p.tensor("FloatStorage", "0", 1, 0, new int[9])),
                hostile("within the 5 elements", p -> p.tensor("FloatStorage", "0", 5, 0, new int[] {2, 3}, 3, 1)),
                hostile("storage 0 has -1 elements", p -> p.storage("FloatStorage", "0", -1)),
                hostile("the text '0' as persistent id", p -> p.text("0").ops("Q")),
                hostile("a tuple as persistent id", p -> p.ops(")Q")),
                hostile("has more than 1048576 opcodes", p -> p.ops(")".repeat(1 << 20))));
    }

    @ParameterizedTest
    @MethodSource("hostilePickles")
    void refusesHostilePickles(String message, byte[] pickle) {
        assertThatThrownBy(() -> PickleReader.read(pickle))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(message);
    }

    /** Depth, circles and doubling cost no more than their opcodes, as nothing walks into values. */
    @Test
    void nestingCostsNothing() {
        int depth = 200_000;
        PickleReader.read(
                Pickles.protocol2().ops("(".repeat(depth) + "t".repeat(depth)).stop());
        PickleReader.read(
                Pickles.protocol2().ops("}q\0" + "h\0".repeat(depth) + ")").stop());
        Pickles doubling = Pickles.protocol2().ops(")");
        for (int i = 0; i < depth; i++) {
            doubling.ops("q\0h\0").raw(0x86);
        }
        PickleReader.read(doubling.stop());
        Dict circle = (Dict) PickleReader.read(
                Pickles.protocol2().ops("}q\0").text("self").ops("h\0s").stop());
        assertThat(circle.entries().get("self")).isSameAs(circle);
    }

    /** A long tuple that is made once and named again and again. */
    @Test
    void aLongShapeIsNotCopied() {
        Pickles pickle = Pickles.protocol2().tuple(new int[100_000]).ops("q\0");
        pickle.global("torch._utils", "_rebuild_tensor_v2").ops("(").storage("FloatStorage", "0", 1);
        assertThatThrownBy(() -> PickleReader.read(pickle.ops("K\0h\0h\0tR").stop()))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("a tensor of 100000 dimensions; wanted at most 8");
    }
}
