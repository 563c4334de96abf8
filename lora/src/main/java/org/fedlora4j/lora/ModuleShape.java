package org.fedlora4j.lora;

/** The sizes of a linear projection: its frozen weight is [out, in]. */
public record ModuleShape(int in, int out) {
    public ModuleShape {
        if (in < 1 || out < 1) {
            throw new IllegalArgumentException("in " + in + ", out " + out + ": both must be at least 1");
        }
    }
}
