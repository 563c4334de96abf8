package org.fedlora4j.benchmark.data;

import org.jspecify.annotations.Nullable;

/**
 * The value of a record's field.
 *
 * @param text of strings and numbers
 */
record FieldValue(Type type, @Nullable String text) {
    static final FieldValue NULL = new FieldValue(Type.NULL, null);

    enum Type {
        STRING("a string"),
        NUMBER("a number"),
        BOOLEAN("true or false"),
        ARRAY("an array"),
        OBJECT("an object"),
        NULL("null");

        private final String description;

        Type(String description) {
            this.description = description;
        }

        @Override
        public String toString() {
            return description;
        }
    }

    static FieldValue string(String text) {
        return new FieldValue(Type.STRING, text);
    }

    static FieldValue number(String text) {
        return new FieldValue(Type.NUMBER, text);
    }
}
