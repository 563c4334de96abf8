package org.fedlora4j.model.exec;

import java.util.Locale;
import org.fedlora4j.common.BadInputException;

/** The type in which the frozen weights' matmuls are computed. Everything else is always f32. */
public enum Precision {
    F32,
    BF16;

    /** As settings spell it: {@code f32}, {@code bf16}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** A precision and why it is the one. */
    public record Choice(Precision precision, String reason) {}

    /**
     * The precision for a setting, on this machine.
     *
     * @param setting {@code auto}, {@code f32} or {@code bf16}
     * @throws BadInputException if the setting is another, or if what it asks for can't be had here
     */
    public static Choice choose(String setting) {
        return choose(setting, NativeRuntime.settings().amx());
    }

    /** The same for a machine that has AMX or has not: bf16 matmuls are faster than f32 ones with AMX only. */
    static Choice choose(String setting, boolean amx) {
        String bf16Refusal = amx
                ? "the execution plan computes in f32 only so far"
                : "bf16 matmuls are slower than f32 ones without AMX";
        return switch (setting) {
            case "auto" -> new Choice(F32, bf16Refusal);
            case "f32" -> new Choice(F32, "asked for");
            case "bf16" ->
                throw new BadInputException(
                        "precision: bf16 can't be had here: " + bf16Refusal + "; wanted auto or f32");
            default -> throw new BadInputException("precision: found " + setting + ", wanted auto, f32 or bf16");
        };
    }
}
