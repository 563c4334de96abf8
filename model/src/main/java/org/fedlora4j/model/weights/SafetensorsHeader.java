package org.fedlora4j.model.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.JsonFields;

/**
 * The head of a safetensors file: 8 bytes of length, little-endian, then JSON, {@code {name: {dtype, shape,
 * data_offsets: [begin, end]}}}, offsets counted from the end of the JSON. As in the reference implementation the
 * tensors must fill the rest of the file without gap and overlap.
 *
 * @param tensors by name, in the order of the data
 * @param metadata the texts under {@code __metadata__}
 */
record SafetensorsHeader(Map<String, TensorInfo> tensors, Map<String, String> metadata) {
    static final String METADATA = "__metadata__";

    /** Names of the filling that puts the next tensor on a boundary; it is left out of {@link #tensors}. */
    static final String PADDING = "fedlora.padding.";

    /** @throws BadInputException if anything in the header contradicts the format or the file's length */
    static SafetensorsHeader read(String file, FileChannel channel) throws IOException {
        long fileBytes = channel.size();
        if (fileBytes < Long.BYTES) {
            throw new BadInputException(file + ": " + fileBytes + " bytes; wanted a safetensors file of 8 or more");
        }
        long headerBytes = FileBytes.read(channel, 0, Long.BYTES).getLong();
        long limit = Math.min(fileBytes - Long.BYTES, JsonFields.MAX_BYTES);
        if (headerBytes < 0 || headerBytes > limit) {
            throw new BadInputException(file + ": header length is " + Long.toUnsignedString(headerBytes)
                    + " bytes; wanted at most " + limit);
        }
        byte[] json = FileBytes.read(channel, Long.BYTES, (int) headerBytes).array();
        JsonFields fields = JsonFields.parse(file, json);
        Map<String, String> metadata = new LinkedHashMap<>();
        List<Map.Entry<String, TensorInfo>> tensors = new ArrayList<>();
        for (String name : fields.names()) {
            if (name.equals(METADATA)) {
                fields.object(name)
                        .ifPresent(texts -> texts.names().forEach(key -> metadata.put(key, texts.text(key))));
            } else {
                tensors.add(Map.entry(name, tensor(fields, name, Long.BYTES + headerBytes)));
            }
        }
        tensors.sort(Map.Entry.comparingByValue(
                Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end)));
        checkLayout(file, tensors, Long.BYTES + headerBytes, fileBytes);
        Map<String, TensorInfo> byName = new LinkedHashMap<>();
        for (Map.Entry<String, TensorInfo> tensor : tensors) {
            if (!tensor.getKey().startsWith(PADDING)) {
                byName.put(tensor.getKey(), tensor.getValue());
            }
        }
        return new SafetensorsHeader(Collections.unmodifiableMap(byName), Collections.unmodifiableMap(metadata));
    }

    private static TensorInfo tensor(JsonFields header, String name, long dataBegin) {
        JsonFields fields = header.object(name).orElseThrow(() -> header.wrong(name, "an object"));
        ElementType type = ElementType.named(fields.text("dtype"))
                .orElseThrow(() -> fields.wrong("dtype", "a type of the safetensors format"));
        long[] shape = longs(fields, "shape");
        long[] offsets = longs(fields, "data_offsets");
        if (offsets.length != 2 || offsets[0] < 0 || offsets[1] > Long.MAX_VALUE - dataBegin) {
            throw fields.wrong("data_offsets", "two offsets into the file's data");
        }
        try {
            return new TensorInfo(type, shape, dataBegin + offsets[0], dataBegin + offsets[1]);
        } catch (BadInputException e) {
            throw new BadInputException(fields.place() + ": " + e.getMessage(), e);
        }
    }

    private static void checkLayout(
            String file, List<Map.Entry<String, TensorInfo>> tensors, long dataBegin, long fileBytes) {
        // Overlap first: it names both tensors, where a gap is often only its consequence.
        for (int i = 1; i < tensors.size(); i++) {
            if (tensors.get(i).getValue().begin()
                    < tensors.get(i - 1).getValue().end()) {
                throw new BadInputException(
                        file + ": data_offsets of " + tensors.get(i - 1).getKey() + " and "
                                + tensors.get(i).getKey() + " overlap; wanted every byte in one tensor");
            }
        }
        long end = dataBegin;
        for (Map.Entry<String, TensorInfo> tensor : tensors) {
            TensorInfo info = tensor.getValue();
            if (info.end() > fileBytes) {
                throw new BadInputException(file + ": " + tensor.getKey() + " ends at byte " + info.end()
                        + "; wanted at most the file's length, " + fileBytes);
            }
            if (info.begin() != end) {
                throw new BadInputException(file + ": " + tensor.getKey() + " begins at byte " + info.begin()
                        + "; wanted " + end + ", where the tensor before it ends");
            }
            end = info.end();
        }
        if (end != fileBytes) {
            throw new BadInputException(
                    file + ": the last tensor ends at byte " + end + "; wanted the file's length, " + fileBytes);
        }
    }

    private static long[] longs(JsonFields fields, String field) {
        if (!(fields.node().get(field) instanceof ArrayNode array)) {
            throw fields.wrong(field, "a list of integers");
        }
        long[] values = new long[array.size()];
        for (int i = 0; i < values.length; i++) {
            JsonNode value = array.get(i);
            if (!value.isIntegralNumber() || !value.canConvertToLong()) {
                throw fields.wrong(field, "a list of integers below 2^63");
            }
            values[i] = value.longValue();
        }
        return values;
    }
}
