package org.fedlora4j.converter.torch;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.converter.torch.PickleValue.Dict;
import org.fedlora4j.converter.torch.PickleValue.Function;
import org.fedlora4j.converter.torch.PickleValue.Int;
import org.fedlora4j.converter.torch.PickleValue.Storage;
import org.fedlora4j.converter.torch.PickleValue.StorageType;
import org.fedlora4j.converter.torch.PickleValue.Tensor;
import org.fedlora4j.converter.torch.PickleValue.Text;
import org.fedlora4j.converter.torch.PickleValue.Tuple;
import org.fedlora4j.model.weights.ElementType;

/** What a pickle of PyTorch's may ask for by name, and what comes of it; see {@code torch/_utils.py}. */
final class TorchGlobals {
    private static final Map<String, PickleValue> ALLOWED = Map.ofEntries(
            Map.entry("collections.OrderedDict", Function.ORDERED_DICT),
            Map.entry("torch._utils._rebuild_tensor_v2", Function.TENSOR),
            Map.entry("torch._utils._rebuild_parameter", Function.PARAMETER),
            Map.entry("torch._utils._rebuild_parameter_with_state", Function.PARAMETER),
            Map.entry("torch.nn.parameter.Parameter", Function.PARAMETER),
            Map.entry("torch.FloatStorage", new StorageType(ElementType.F32)),
            Map.entry("torch.HalfStorage", new StorageType(ElementType.F16)),
            Map.entry("torch.BFloat16Storage", new StorageType(ElementType.BF16)),
            Map.entry("torch.DoubleStorage", new StorageType(ElementType.F64)),
            Map.entry("torch.LongStorage", new StorageType(ElementType.I64)),
            Map.entry("torch.IntStorage", new StorageType(ElementType.I32)),
            Map.entry("torch.ShortStorage", new StorageType(ElementType.I16)),
            Map.entry("torch.CharStorage", new StorageType(ElementType.I8)),
            Map.entry("torch.ByteStorage", new StorageType(ElementType.U8)),
            Map.entry("torch.BoolStorage", new StorageType(ElementType.BOOL)));

    /** More than any weight has; a few opcodes can name a long tuple many times. */
    private static final int MAX_DIMENSIONS = 8;

    private TorchGlobals() {}

    /** @param name with its module, {@code module.name} */
    static Optional<PickleValue> find(String name) {
        return Optional.ofNullable(ALLOWED.get(name));
    }

    /** The storage of a persistent id, {@code ("storage", type, key, device, elements)}. */
    static PickleValue storage(PickleValue id) {
        if (id instanceof Tuple tuple
                && tuple.values().size() == 5
                && tuple.values().get(0) instanceof Text tag
                && tag.text().equals("storage")
                && tuple.values().get(1) instanceof StorageType type
                && tuple.values().get(2) instanceof Text key
                && tuple.values().get(4) instanceof Int elements) {
            return new Storage(type.type(), key.text(), elements.value());
        }
        throw new BadInputException(
                "the pickle has " + id.kind() + " as persistent id; wanted that of a storage, a tuple of 5");
    }

    /** What a function gives for arguments. */
    static PickleValue call(PickleValue function, PickleValue arguments) {
        if (!(function instanceof Function known) || !(arguments instanceof Tuple tuple)) {
            throw new BadInputException("the pickle calls " + function.kind() + " with " + arguments.kind()
                    + "; wanted a function, with a tuple");
        }
        List<PickleValue> values = tuple.values();
        return switch (known) {
            case ORDERED_DICT -> orderedDict(values);
            case TENSOR -> tensor(values);
            case PARAMETER -> parameter(values);
        };
    }

    private static PickleValue orderedDict(List<PickleValue> arguments) {
        if (!arguments.isEmpty()) {
            throw new BadInputException("the pickle makes an OrderedDict of " + arguments.size()
                    + " arguments; wanted none, and entries afterwards");
        }
        return new Dict();
    }

    /** Of storage, offset, shape, strides; what follows matters to training only. */
    private static PickleValue tensor(List<PickleValue> arguments) {
        if (arguments.size() >= 4
                && arguments.get(0) instanceof Storage storage
                && arguments.get(1) instanceof Int offset
                && arguments.get(2) instanceof Tuple shape
                && arguments.get(3) instanceof Tuple strides) {
            return new Tensor(new StridedView(offset.value(), longs(shape), longs(strides)), storage);
        }
        throw new BadInputException("the pickle makes a tensor of " + kinds(arguments)
                + "; wanted a storage, the number of an element, a tuple and a tuple");
    }

    /** Of a tensor; what follows matters to training only. */
    private static PickleValue parameter(List<PickleValue> arguments) {
        if (!arguments.isEmpty() && arguments.get(0) instanceof Tensor tensor) {
            return tensor;
        }
        throw new BadInputException("the pickle makes a parameter of " + kinds(arguments) + "; wanted a tensor");
    }

    private static long[] longs(Tuple tuple) {
        if (tuple.values().size() > MAX_DIMENSIONS) {
            throw new BadInputException("the pickle has a tensor of "
                    + tuple.values().size() + " dimensions; wanted at most " + MAX_DIMENSIONS);
        }
        return tuple.values().stream()
                .mapToLong(value -> {
                    if (value instanceof Int number) {
                        return number.value();
                    }
                    throw new BadInputException(
                            "the pickle has " + value.kind() + " in a tensor's shape or strides; wanted a number");
                })
                .toArray();
    }

    private static String kinds(List<PickleValue> values) {
        return values.isEmpty()
                ? "nothing"
                : String.join(
                        ", ", values.stream().limit(4).map(PickleValue::kind).toList());
    }
}
