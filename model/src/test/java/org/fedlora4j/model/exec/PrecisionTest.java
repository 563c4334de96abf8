package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.bytedeco.javacpp.Pointer;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.kernels.Product;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrecisionTest {
    @Test
    void autoIsBf16WhereItIsFastest() {
        assertThat(Precision.choose("auto", (String) null).precision()).isEqualTo(Precision.BF16);
        assertThat(Precision.choose("bf16", (String) null).precision()).isEqualTo(Precision.BF16);
        assertThat(Precision.choose("f32", (String) null).precision()).isEqualTo(Precision.F32);
    }

    @Test
    void whereBf16IsRefusedAutoIsF32WithTheReason() {
        Precision.Choice choice = Precision.choose("auto", "no luck");
        assertThat(choice.precision()).isEqualTo(Precision.F32).hasToString("f32");
        assertThat(choice.reason()).isEqualTo("no luck");
        assertThatThrownBy(() -> Precision.choose("bf16", "no luck"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("precision: bf16 can't be had here: no luck; wanted auto or f32");
    }

    @Test
    void bf16TakesProductsAndAmxAndKernels() {
        assertThat(Precision.refusal(null, true, true)).isNull();
        assertThat(Precision.refusal("no oneDNN", false, true)).isEqualTo("no oneDNN");
        assertThat(Precision.refusal(null, false, true)).contains("without AMX");
        assertThat(Precision.refusal(null, true, false)).contains("Vector API");
    }

    /** On every CPU: bf16 is chosen where there is AMX, and there is none that the CPU does not list. */
    @Test
    void thisMachinesChoiceFollowsItsFeatures() {
        assertThat(Precision.choose("auto").precision()).isEqualTo(Product.hasAmx() ? Precision.BF16 : Precision.F32);
        assertThat(CpuFeatures.detect().hasAmxBf16() || !Product.hasAmx()).isTrue();
    }

    /** ND4J's CUDA release has cuBLAS products of f32 and f16 only. */
    @Test
    void onAGpuAutoIsF32AndF16IsToBeHad() {
        assertThat(Precision.chooseOnCuda("auto").precision()).isEqualTo(Precision.F32);
        assertThat(Precision.chooseOnCuda("auto").reason()).contains("no cuBLAS products of bf16");
        assertThat(Precision.chooseOnCuda("f32").precision()).isEqualTo(Precision.F32);
        assertThat(Precision.chooseOnCuda("f16").precision())
                .isEqualTo(Precision.F16)
                .hasToString("f16");
        assertThatThrownBy(() -> Precision.chooseOnCuda("bf16"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "precision: bf16 can't be had here: this release of ND4J has no cuBLAS products of bf16, only "
                                + "of f32 and f16; wanted auto, f32 or f16");
        try (Backend.Pretence pretence = Backend.pretend(Backend.CUDA)) {
            assertThat(Precision.choose("auto")).isEqualTo(Precision.chooseOnCuda("auto"));
        }
    }

    @Test
    void f16IsForGpus() {
        assertThatThrownBy(() -> Precision.choose("f16"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "precision: f16 can't be had here: its products run on GPUs only; wanted auto, f32 or bf16");
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp8", "F32", ""})
    void otherSettingsAreRefusedByName(String setting) {
        assertThatThrownBy(() -> Precision.choose(setting))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("found " + setting + ",");
    }

    /** Else a process of four times the Java heap fails; by itself this test fails where choosing comes before the setting. */
    @Test
    void choosingLeavesNativeMemoryWithoutALimit() {
        Precision.choose("auto");
        assertThat(Pointer.maxPhysicalBytes()).isZero();
    }
}
