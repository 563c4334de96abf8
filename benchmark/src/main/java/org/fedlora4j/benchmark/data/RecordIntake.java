package org.fedlora4j.benchmark.data;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.fedlora4j.benchmark.data.FieldNames.Part;
import org.fedlora4j.common.BadInputException;
import org.jspecify.annotations.Nullable;

/** Makes records of what the readers of files find, and passes on what is no record. */
final class RecordIntake {
    /** Holds back a file that has no records, before it fills the memory. */
    static final int MAX_RECORD_BYTES = 16 << 20;

    /** Of names in messages. */
    private static final int MAX_NAMES = 20;

    private static final int MAX_NAME_LENGTH = 40;

    /** What a record takes beside its texts. */
    private static final int RECORD_BYTES = 200;

    private static final long MAX_BYTES = Runtime.getRuntime().maxMemory() / 2;

    private final Path source;
    private final FieldNames names;
    private final Consumer<BadInputException> broken;
    private final List<InstructionRecord> records = new ArrayList<>();

    /** In the data. */
    private final Set<String> found = new TreeSet<>();

    private long bytes;
    private long brokenRecords;
    private Optional<BadInputException> firstBroken = Optional.empty();

    RecordIntake(Path source, FieldNames names, Consumer<BadInputException> broken) {
        this.source = source;
        this.names = names;
        this.broken = broken;
    }

    /** The fields that make a record; others need not be given. */
    Set<String> wanted() {
        return names.all();
    }

    boolean namesAreUsual() {
        return names.named().isEmpty();
    }

    /**
     * Takes a record.
     *
     * @param place of the record, such as {@code data.csv line 4}
     * @param id for a record that has none
     */
    void add(String place, String id, Map<String, FieldValue> fields) {
        fields.keySet().forEach(this::found);
        InstructionRecord record = made(() -> new InstructionRecord(
                required(place, fields, Part.INSTRUCTION),
                optional(place, fields, Part.INPUT).orElse(""),
                required(place, fields, Part.OUTPUT),
                optional(place, fields, Part.CATEGORY).orElse(""),
                optional(place, fields, Part.ID).orElse(id)));
        if (record != null) {
            add(record, record.instruction().length());
        }
    }

    /** Takes what makes a record, or says what is wrong with it; the instruction is the whole task's. */
    void addToTask(Supplier<InstructionRecord> maker) {
        InstructionRecord record = made(maker);
        if (record != null) {
            add(record, 0);
        }
    }

    private @Nullable InstructionRecord made(Supplier<InstructionRecord> maker) {
        try {
            return maker.get();
        } catch (BadInputException e) {
            broken(e);
            return null;
        }
    }

    /** @param instructionBytes 0 where another record has the same text */
    private void add(InstructionRecord record, int instructionBytes) {
        bytes += (long) RECORD_BYTES
                + instructionBytes
                + record.input().length()
                + record.response().length();
        if (bytes > MAX_BYTES) {
            throw new BadInputException(source + ": more than " + (MAX_BYTES >> 20)
                    + " MiB of text, wanted at most half of Java's memory (-Xmx)");
        }
        records.add(record);
    }

    /** Takes a record that can't be used. */
    void broken(BadInputException problem) {
        if (firstBroken.isEmpty()) {
            firstBroken = Optional.of(problem);
        }
        brokenRecords++;
        broken.accept(problem);
    }

    /** All sound records. */
    List<InstructionRecord> finish() {
        names.named().forEach((part, name) -> {
            if (!found.contains(name) && (brokenRecords > 0 || !records.isEmpty())) {
                throw new BadInputException("data.fields: no record of " + source + " has " + shown(name)
                        + ", wanted one of " + shownFound());
            }
        });
        if (records.isEmpty()) {
            throw new BadInputException(firstBroken
                    .map(first -> source + ": none of " + brokenRecords + " records is sound; " + first.getMessage())
                    .orElse(source + ": no records, wanted at least one"));
        }
        return records;
    }

    /** A field that must have text. */
    static String requireText(String place, String field, FieldValue value) {
        if (value.type() != FieldValue.Type.STRING || value.text() == null) {
            throw new BadInputException(place + ": " + field + " is " + value.type() + ", wanted a string");
        }
        if (value.text().isBlank()) {
            throw new BadInputException(place + ": " + field + " is empty, wanted a text");
        }
        return value.text();
    }

    private String required(String place, Map<String, FieldValue> fields, Part part) {
        String field = name(fields, part)
                .orElseThrow(() -> new BadInputException(
                        place + ": no " + String.join(" or ", names.of(part)) + ", wanted one beside " + shownFound()));
        return requireText(place, shown(field), value(fields, field));
    }

    private Optional<String> optional(String place, Map<String, FieldValue> fields, Part part) {
        Optional<String> field = name(fields, part);
        if (field.isEmpty()) {
            return Optional.empty();
        }
        FieldValue value = value(fields, field.get());
        boolean text =
                value.type() == FieldValue.Type.STRING || (part == Part.ID && value.type() == FieldValue.Type.NUMBER);
        if (!text && value.type() != FieldValue.Type.NULL) {
            throw new BadInputException(
                    place + ": " + shown(field.get()) + " is " + value.type() + ", wanted a string");
        }
        return Optional.ofNullable(value.text()).filter(string -> !string.isEmpty());
    }

    private Optional<String> name(Map<String, FieldValue> fields, Part part) {
        return names.of(part).stream().filter(fields::containsKey).findFirst();
    }

    private static FieldValue value(Map<String, FieldValue> fields, String field) {
        return fields.getOrDefault(field, FieldValue.NULL);
    }

    private void found(String field) {
        if (found.size() < MAX_NAMES || names.named().containsValue(field)) {
            found.add(field);
        }
    }

    private String shownFound() {
        return String.join(", ", found.stream().map(RecordIntake::shown).toList());
    }

    /** Names come from the data: they may be long, and hold line ends. */
    static String shown(String name) {
        String line = name.replaceAll("\\p{Cntrl}", "?");
        return line.length() <= MAX_NAME_LENGTH ? line : line.substring(0, MAX_NAME_LENGTH) + "...";
    }
}
