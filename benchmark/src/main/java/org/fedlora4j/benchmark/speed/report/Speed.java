package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.util.Arrays;
import org.fedlora4j.benchmark.speed.Arguments;
import org.fedlora4j.common.BadInputException;

/** The commands that measure: {@code benchmark/speed.sh} runs them. */
public final class Speed {
    private static final String USAGE = """
            wanted one of
              steps PYTHON MODEL [--turns=3] [--batches=1x128,1x512,4x256] [--cases=f32,bf16,autocast] [--steps=8]
              large PYTHON MODEL [--turns=1] [--tokens=512] [--cases=f32,bf16] [--steps=3] [--recompute=none]
              generation PYTHON MODEL [--turns=3] [--batches=1,8] [--cases=f32,bf16] [--prompt=128] [--new=64] [--steps=5]
              instructions MODEL DATA [--turns=3] [--batch=4] [--batches=16] [--passes=3] [--precision=auto]
              recomputation MODEL [--turns=3] [--batches=1x512,4x256] [--steps=5] [--precision=auto]
              growth MODEL [--turns=3] [--minutes=10] [--precision=auto]
              scale MODEL [--turns=1] [--points=1x128,1x256,1x512,1x1024,4x128,1x256x64] [--steps=3] [--precision=auto]
            and of all: [--threads=2] [--warm-up=8, growth 4, large and scale 1] (seconds) [--out=benchmark/results] [--update-docs]""";

    private Speed() {}

    public static void main(String[] arguments) throws IOException {
        Arguments.showMistakesPlainly();
        if (arguments.length == 0) {
            throw new BadInputException(USAGE);
        }
        String[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
        switch (arguments[0]) {
            case "steps" -> Steps.run(rest);
            case "large" -> Large.run(rest);
            case "generation" -> Generation.run(rest);
            case "instructions" -> Instructions.run(rest);
            case "recomputation" -> Recomputation.run(rest);
            case "growth" -> Growth.run(rest);
            case "scale" -> Scale.run(rest);
            default -> throw new BadInputException(arguments[0] + ": no such command; " + USAGE);
        }
    }
}
