package org.fedlora4j.benchmark.synthetic;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.model.weights.ElementType;

/**
 * {@code data.pkl} of a file that {@code torch.save} writes: a dict of tensors in pickle's protocol 2, opcode by opcode as
 * Python's own pickler has them (format: {@code Lib/pickletools.py}; what a tensor becomes: {@code torch/_tensor.py}).
 */
final class TorchPickle {
    private static final int PROTOCOL = 0x80;
    private static final int EMPTY_DICT = '}';
    private static final int MARK = '(';
    private static final int SET_ITEMS = 'u';
    private static final int STOP = '.';
    private static final int GLOBAL = 'c';
    private static final int TEXT = 'X';
    private static final int EMPTY_TUPLE = ')';
    private static final int TUPLE_OF_ONE = 0x85;
    private static final int TUPLE_OF_TWO = 0x86;
    private static final int TUPLE = 't';
    private static final int FALSE = 0x89;
    private static final int REDUCE = 'R';
    private static final int PERSISTENT_ID = 'Q';
    private static final int ONE_BYTE = 'K';
    private static final int TWO_BYTES = 'M';
    private static final int FOUR_BYTES = 'J';
    private static final int PUT = 'q';
    private static final int LONG_PUT = 'r';
    private static final int GET = 'h';
    private static final int LONG_GET = 'j';

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Map<String, Integer> shared = new HashMap<>();
    private int memorized;

    private TorchPickle() {}

    /** Pickles tensors, the first of which is in storage 0, the next in storage 1 and so on, each alone and from its start. */
    static byte[] of(List<StoredTensor> tensors) {
        TorchPickle pickle = new TorchPickle();
        pickle.bytes(PROTOCOL, 2, EMPTY_DICT);
        pickle.memorize();
        pickle.bytes(MARK);
        for (int i = 0; i < tensors.size(); i++) {
            pickle.tensor(Integer.toString(i), tensors.get(i));
        }
        pickle.bytes(SET_ITEMS, STOP);
        return pickle.out.toByteArray();
    }

    /** The dict's key, and {@code _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())}. */
    private void tensor(String key, StoredTensor tensor) {
        text(tensor.name());
        global("torch._utils", "_rebuild_tensor_v2");
        bytes(MARK);
        storage(key, tensor);
        number(0);
        numbers(tensor.shape());
        numbers(
                tensor.shape().size() == 1
                        ? List.of(1L)
                        : List.of(tensor.shape().get(1), 1L));
        bytes(FALSE);
        global("collections", "OrderedDict");
        bytes(EMPTY_TUPLE, REDUCE);
        memorize();
        bytes(TUPLE);
        memorize();
        bytes(REDUCE);
        memorize();
    }

    /** The persistent id {@code ("storage", type, key, "cpu", elements)}. */
    private void storage(String key, StoredTensor tensor) {
        bytes(MARK);
        sharedText("storage");
        global("torch", storageType(tensor.type()));
        text(key);
        sharedText("cpu");
        number(tensor.elements());
        bytes(TUPLE);
        memorize();
        bytes(PERSISTENT_ID);
    }

    private static String storageType(ElementType type) {
        return switch (type) {
            case F32 -> "FloatStorage";
            case F16 -> "HalfStorage";
            case BF16 -> "BFloat16Storage";
            default -> throw new IllegalArgumentException(type + "; wanted F32, F16 or BF16");
        };
    }

    private void numbers(List<Long> values) {
        values.forEach(this::number);
        bytes(values.size() == 1 ? TUPLE_OF_ONE : TUPLE_OF_TWO);
        memorize();
    }

    private void number(long value) {
        if (value < 1 << 8) {
            bytes(ONE_BYTE, (int) value);
        } else if (value < 1 << 16) {
            bytes(TWO_BYTES, (int) value & 0xff, (int) value >> 8);
        } else {
            bytes(FOUR_BYTES);
            fourBytes(Math.toIntExact(value));
        }
    }

    private void text(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        bytes(TEXT);
        fourBytes(utf8.length);
        out.writeBytes(utf8);
        memorize();
    }

    private void sharedText(String text) {
        if (!recall(text)) {
            shared.put(text, memorized);
            text(text);
        }
    }

    private void global(String module, String name) {
        if (!recall(module + "." + name)) {
            shared.put(module + "." + name, memorized);
            bytes(GLOBAL);
            out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
            memorize();
        }
    }

    /** Whether it was pickled before; then only its number is. */
    private boolean recall(String value) {
        Integer number = shared.get(value);
        if (number != null) {
            numbered(GET, LONG_GET, number);
        }
        return number != null;
    }

    private void memorize() {
        numbered(PUT, LONG_PUT, memorized++);
    }

    private void numbered(int shortOpcode, int longOpcode, int number) {
        if (number < 1 << 8) {
            bytes(shortOpcode, number);
        } else {
            bytes(longOpcode);
            fourBytes(number);
        }
    }

    private void bytes(int... values) {
        for (int value : values) {
            out.write(value);
        }
    }

    private void fourBytes(int value) {
        out.writeBytes(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
    }
}
