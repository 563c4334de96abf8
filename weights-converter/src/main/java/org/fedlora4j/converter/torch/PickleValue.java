package org.fedlora4j.converter.torch;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.weights.ElementType;

/**
 * What a pickle of tensors is made of. Nothing walks from a value into those that it holds, as hostile pickles nest them
 * without end or in a circle.
 */
sealed interface PickleValue {
    /** What messages call the value. */
    String kind();

    /** A name of some kind, short and without control characters. */
    record Text(String text) implements PickleValue {
        @Override
        public String kind() {
            return "the text '" + text + "'";
        }
    }

    /** An integer of at most 64 bits. */
    record Int(long value) implements PickleValue {
        @Override
        public String kind() {
            return "the number " + value;
        }
    }

    /** A value whose content no tensor needs. */
    enum Other implements PickleValue {
        NONE("None"),
        BOOL("a bool"),
        FLOAT("a float"),
        LIST("a list");

        private final String kind;

        Other(String kind) {
            this.kind = kind;
        }

        @Override
        public String kind() {
            return kind;
        }
    }

    record Tuple(List<PickleValue> values) implements PickleValue {
        public Tuple {
            values = List.copyOf(values);
        }

        @Override
        public String kind() {
            return "a tuple";
        }
    }

    /** A dict with texts as keys, which is all that a state dict and its metadata have. Filled after it is made. */
    final class Dict implements PickleValue {
        private final Map<String, PickleValue> entries = new LinkedHashMap<>();

        Map<String, PickleValue> entries() {
            return entries;
        }

        @Override
        public String kind() {
            return "a dict";
        }
    }

    /** The functions that a pickle may ask for; what they do is done by our own code. */
    enum Function implements PickleValue {
        ORDERED_DICT,
        TENSOR,
        PARAMETER;

        @Override
        public String kind() {
            return "a function";
        }
    }

    record StorageType(ElementType type) implements PickleValue {
        @Override
        public String kind() {
            return "a storage's type";
        }
    }

    /**
     * A run of elements in a file of its own inside the archive.
     *
     * @param key name of that file
     */
    record Storage(ElementType type, String key, long elements) implements PickleValue {
        public Storage {
            if (elements < 0 || elements > Long.MAX_VALUE / type.bytes()) {
                throw new BadInputException("storage " + key + " has " + elements + " elements of " + type
                        + "; wanted none or more, and fewer than 2^63 bytes");
            }
        }

        @Override
        public String kind() {
            return "a storage";
        }
    }

    /** A view of a storage, which contains all of it. */
    record Tensor(StridedView view, Storage storage) implements PickleValue {
        public Tensor {
            view.requireWithin(storage.elements);
        }

        @Override
        public String kind() {
            return "a tensor";
        }
    }
}
