package org.fedlora4j.converter.gguf;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.fedlora4j.common.BadInputException;
import org.jspecify.annotations.Nullable;

/** What a file says about its model: values by keys, read with checks. */
public final class GgufMetadata {
    private final String file;
    private final Map<String, Object> values = new LinkedHashMap<>();

    /** An array of a type that no key of a LLaMA has; its content is skipped. */
    private record OtherArray() {
        @Override
        public String toString() {
            return "an array of another type";
        }
    }

    private GgufMetadata(String file) {
        this.file = file;
    }

    static GgufMetadata read(String file, GgufCursor cursor, int count) throws IOException {
        GgufMetadata metadata = new GgufMetadata(file);
        for (int i = 0; i < count; i++) {
            String key = cursor.text("key " + i);
            Object value = metadata.readValue(key, cursor);
            if (metadata.values.putIfAbsent(key, value) != null) {
                throw new BadInputException(file + ": " + key + " is there twice; wanted once");
            }
        }
        return metadata;
    }

    private Object readValue(String key, GgufCursor cursor) throws IOException {
        GgufValueType type = valueType(key, cursor);
        return switch (type) {
            case UINT8 -> (long) Byte.toUnsignedInt(cursor.int8());
            case INT8 -> (long) cursor.int8();
            case UINT16 -> (long) Short.toUnsignedInt(cursor.int16());
            case INT16 -> (long) cursor.int16();
            case UINT32 -> Integer.toUnsignedLong(cursor.int32());
            case INT32 -> (long) cursor.int32();
            case UINT64, INT64 -> cursor.int64();
            case FLOAT32 -> Float.intBitsToFloat(cursor.int32());
            case FLOAT64 -> Double.longBitsToDouble(cursor.int64());
            case BOOL -> cursor.int8() != 0;
            case STRING -> cursor.text(key);
            case ARRAY -> readArray(key, cursor);
        };
    }

    private Object readArray(String key, GgufCursor cursor) throws IOException {
        GgufValueType type = valueType(key, cursor);
        if (type == GgufValueType.ARRAY) {
            throw new BadInputException(file + ": " + key + " is an array of arrays; wanted texts or numbers in it");
        }
        int length = cursor.count("the length of " + key, type.leastBytes());
        switch (type) {
            case STRING -> {
                List<String> texts = new ArrayList<>();
                for (int i = 0; i < length; i++) {
                    texts.add(cursor.text(key + " " + i));
                }
                return texts;
            }
            case INT32, UINT32 -> {
                int[] numbers = new int[length];
                for (int i = 0; i < length; i++) {
                    numbers[i] = cursor.int32();
                }
                return numbers;
            }
            case FLOAT32 -> {
                float[] numbers = new float[length];
                for (int i = 0; i < length; i++) {
                    numbers[i] = Float.intBitsToFloat(cursor.int32());
                }
                return numbers;
            }
            default -> {
                cursor.skip((long) length * type.leastBytes());
                return new OtherArray();
            }
        }
    }

    private GgufValueType valueType(String key, GgufCursor cursor) throws IOException {
        int number = cursor.int32();
        return GgufValueType.of(number)
                .orElseThrow(() -> new BadInputException(file + ": " + key + " has the type of values " + number
                        + "; wanted 0 to " + (GgufValueType.values().length - 1)));
    }

    public boolean has(String key) {
        return values.containsKey(key);
    }

    public Optional<String> text(String key) {
        return Optional.ofNullable(value(key, String.class, "a text"));
    }

    public Optional<Boolean> bool(String key) {
        return Optional.ofNullable(value(key, Boolean.class, "true or false"));
    }

    /** An integer from 0 to 2^31 - 1. */
    public OptionalInt integer(String key) {
        Long value = value(key, Long.class, "an integer");
        if (value == null) {
            return OptionalInt.empty();
        }
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw wrong(key, "an integer from 0 to 2^31 - 1");
        }
        return OptionalInt.of(value.intValue());
    }

    /** {@link #integer} of a key that must be there. */
    public int requireInteger(String key) {
        return integer(key).orElseThrow(() -> wrong(key, "an integer"));
    }

    /**
     * A number. Of a float32 it is the decimal that its author wrote: 1e-05, though the float32 nearest to that is
     * 9.999999747378752e-06.
     */
    public OptionalDouble number(String key) {
        Object value = values.get(key);
        if (value == null) {
            return OptionalDouble.empty();
        }
        if (value instanceof Float single && Float.isFinite(single)) {
            return OptionalDouble.of(shortestDecimal(single));
        }
        if (value instanceof Double number && Double.isFinite(number)) {
            return OptionalDouble.of(number);
        }
        throw wrong(key, "a finite number with a point");
    }

    /** {@link #number} of a key that must be there. */
    public double requireNumber(String key) {
        return number(key).orElseThrow(() -> wrong(key, "a number"));
    }

    /** Texts; none if the key is not there. */
    @SuppressWarnings("unchecked") // Lists hold texts only.
    public List<String> texts(String key) {
        List<String> value = value(key, List.class, "an array of texts");
        return value == null ? List.of() : value;
    }

    /** Numbers in float32; none if the key is not there. */
    public float[] floats(String key) {
        float[] value = value(key, float[].class, "an array of float32");
        return value == null ? new float[0] : value.clone();
    }

    /** Numbers in int32; none if the key is not there. */
    public int[] integers(String key) {
        int[] value = value(key, int[].class, "an array of int32");
        return value == null ? new int[0] : value.clone();
    }

    /** The error to throw for a key whose value will not do. */
    public BadInputException wrong(String key, String wanted) {
        Object value = values.get(key);
        String found;
        if (value == null) {
            found = "missing";
        } else if (value instanceof List || value.getClass().isArray()) {
            found = "an array";
        } else {
            String text = value.toString().lines().findFirst().orElse("");
            found = text.length() <= 120 ? text : text.substring(0, 120) + "...";
        }
        return new BadInputException(file + ": " + key + " is " + found + "; wanted " + wanted);
    }

    private <T> @Nullable T value(String key, Class<T> type, String wanted) {
        Object value = values.get(key);
        if (value != null && !type.isInstance(value)) {
            throw wrong(key, wanted);
        }
        return type.cast(value);
    }

    /** The decimal of the fewest digits that rounds to the float; {@code Float.toString} of Java 17 has more at times. */
    static double shortestDecimal(float value) {
        BigDecimal exact = new BigDecimal(value);
        for (int digits = 1; digits <= 9; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits));
            if (rounded.floatValue() == value) {
                return rounded.doubleValue();
            }
        }
        throw new AssertionError("nine digits tell any two floats apart");
    }
}
