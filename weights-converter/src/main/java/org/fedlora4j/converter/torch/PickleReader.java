package org.fedlora4j.converter.torch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.converter.torch.PickleValue.Dict;
import org.fedlora4j.converter.torch.PickleValue.Int;
import org.fedlora4j.converter.torch.PickleValue.Other;
import org.fedlora4j.converter.torch.PickleValue.Text;
import org.fedlora4j.converter.torch.PickleValue.Tuple;

/**
 * Reads a pickle as {@code torch.save} writes one, in protocol 2 to 5. It knows the opcodes that a dict of tensors is
 * made of (a subset of Python's {@code pickletools}), builds {@link PickleValue}s and executes nothing; whatever else
 * the pickle wants is refused.
 */
final class PickleReader {
    /** A tensor takes some 25 opcodes; time and memory go with them, as each makes one value at most. */
    private static final int MAX_OPCODES = 1 << 20;

    private final PickleBytes bytes;
    private final List<PickleValue> stack = new ArrayList<>();

    /** Heights of the stack at which the open tuples and lists of entries begin. */
    private final Deque<Integer> marks = new ArrayDeque<>();

    private final Map<Integer, PickleValue> memo = new HashMap<>();

    private PickleReader(byte[] pickle) {
        bytes = new PickleBytes(pickle);
    }

    /**
     * The value that is pickled.
     *
     * @throws org.fedlora4j.common.BadInputException if the pickle is not sound, or made of anything but dicts of tensors
     */
    static PickleValue read(byte[] pickle) {
        PickleReader reader = new PickleReader(pickle);
        int opcode = reader.bytes.uint8();
        for (int count = 1; opcode != '.'; count++) {
            if (count > MAX_OPCODES) {
                throw reader.bytes.wrong("has more than " + MAX_OPCODES + " opcodes");
            }
            reader.step(opcode);
            opcode = reader.bytes.uint8();
        }
        return reader.pop();
    }

    // The letters are those of Python's pickle module, where each opcode is described.
    private void step(int opcode) {
        switch (opcode) {
            case 0x80 -> requireProtocol(bytes.uint8()); // PROTO
            case 0x95 -> bytes.skip(Long.BYTES); // FRAME
            case 'N' -> stack.add(Other.NONE);
            case 0x88, 0x89 -> stack.add(Other.BOOL); // NEWTRUE, NEWFALSE
            case 'K' -> stack.add(new Int(bytes.uint8())); // BININT1
            case 'M' -> stack.add(new Int(bytes.uint16())); // BININT2
            case 'J' -> stack.add(new Int(bytes.int32())); // BININT
            case 0x8a -> stack.add(new Int(bytes.integer(bytes.uint8()))); // LONG1
            case 'G' -> { // BINFLOAT
                bytes.skip(Double.BYTES);
                stack.add(Other.FLOAT);
            }
            case 'X' -> stack.add(new Text(bytes.text(bytes.int32()))); // BINUNICODE
            case 0x8c -> stack.add(new Text(bytes.text(bytes.uint8()))); // SHORT_BINUNICODE
            case '(' -> marks.push(stack.size()); // MARK
            case ')' -> stack.add(new Tuple(List.of())); // EMPTY_TUPLE
            case 0x85, 0x86, 0x87 -> stack.add(new Tuple(pop(opcode - 0x84))); // TUPLE1, TUPLE2, TUPLE3
            case 't' -> stack.add(new Tuple(popToMark())); // TUPLE
            case ']' -> stack.add(Other.LIST); // EMPTY_LIST
            case 'a' -> append(pop(1)); // APPEND
            case 'e' -> append(popToMark()); // APPENDS
            case '}' -> stack.add(new Dict()); // EMPTY_DICT
            case 's' -> putAll(pop(2)); // SETITEM
            case 'u' -> putAll(popToMark()); // SETITEMS
            case 'q' -> memo.put(bytes.uint8(), top()); // BINPUT
            case 'r' -> memo.put(bytes.int32(), top()); // LONG_BINPUT
            case 0x94 -> memo.put(memo.size(), top()); // MEMOIZE
            case 'h' -> stack.add(remembered(bytes.uint8())); // BINGET
            case 'j' -> stack.add(remembered(bytes.int32())); // LONG_BINGET
            case 'c' -> stack.add(global(bytes.line(), bytes.line())); // GLOBAL
            case 0x93 -> stack.add(stackGlobal(pop(2))); // STACK_GLOBAL
            case 'Q' -> stack.add(TorchGlobals.storage(pop())); // BINPERSID
            case 'R' -> { // REDUCE
                PickleValue arguments = pop();
                stack.add(TorchGlobals.call(pop(), arguments));
            }
            case 'b' -> build(); // BUILD
            default -> throw bytes.wrong("has opcode 0x%02x, which no dict of tensors needs".formatted(opcode));
        }
    }

    private void requireProtocol(int protocol) {
        if (protocol < 2 || protocol > 5) {
            throw bytes.wrong("is of protocol " + protocol + "; wanted 2 to 5");
        }
    }

    private void append(List<PickleValue> values) {
        if (top() != Other.LIST) {
            throw bytes.wrong("appends " + values.size() + " values to " + top().kind() + "; wanted a list");
        }
    }

    private void putAll(List<PickleValue> keysAndValues) {
        if (!(top() instanceof Dict dict) || keysAndValues.size() % 2 != 0) {
            throw bytes.wrong("puts " + keysAndValues.size() + " keys and values into " + top().kind()
                    + "; wanted pairs, and a dict");
        }
        for (int i = 0; i < keysAndValues.size(); i += 2) {
            if (!(keysAndValues.get(i) instanceof Text key)) {
                throw bytes.wrong("has a dict with " + keysAndValues.get(i).kind() + " as a key; wanted names only");
            }
            if (dict.entries().put(key.text(), keysAndValues.get(i + 1)) != null) {
                throw bytes.wrong("has " + key.text() + " twice in a dict");
            }
        }
    }

    /** Sets attributes. Of those of a dict, {@code _metadata}, no tensor is made; there are no others. */
    private void build() {
        pop();
        if (!(top() instanceof Dict)) {
            throw bytes.wrong("sets attributes of " + top().kind() + "; wanted a dict");
        }
    }

    private PickleValue stackGlobal(List<PickleValue> names) {
        if (names.get(0) instanceof Text module && names.get(1) instanceof Text name) {
            return global(module.text(), name.text());
        }
        throw bytes.wrong(
                "asks for " + names.get(1).kind() + " of " + names.get(0).kind() + "; wanted names");
    }

    private PickleValue global(String module, String name) {
        String full = module + "." + name;
        return TorchGlobals.find(full).orElseThrow(() -> bytes.wrong("asks for " + full + "; only tensors are read"));
    }

    private PickleValue remembered(int index) {
        PickleValue value = memo.get(index);
        if (value == null) {
            throw bytes.wrong("wants memo " + Integer.toUnsignedString(index) + ", which is empty");
        }
        return value;
    }

    private PickleValue top() {
        requireDepth(1);
        return stack.get(stack.size() - 1);
    }

    private PickleValue pop() {
        requireDepth(1);
        return stack.remove(stack.size() - 1);
    }

    /** The uppermost values, the top last. */
    private List<PickleValue> pop(int count) {
        requireDepth(count);
        return popFrom(stack.size() - count);
    }

    private List<PickleValue> popToMark() {
        if (marks.isEmpty()) {
            throw bytes.wrong("ends a tuple or entries that it did not begin");
        }
        return popFrom(marks.pop());
    }

    private List<PickleValue> popFrom(int height) {
        List<PickleValue> top = stack.subList(height, stack.size());
        List<PickleValue> values = new ArrayList<>(top);
        top.clear();
        return values;
    }

    /** Values below the last mark are out of reach. */
    private void requireDepth(int count) {
        int reachable = stack.size() - (marks.isEmpty() ? 0 : marks.peek());
        if (reachable < count) {
            throw bytes.wrong("takes " + count + " values where it has made " + reachable);
        }
    }
}
