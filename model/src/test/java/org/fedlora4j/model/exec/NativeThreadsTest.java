package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NativeThreadsTest {
    @Test
    void holdsUntilItIsChanged() {
        int before = NativeThreads.get();
        try {
            NativeThreads.set(1);
            assertThat(NativeThreads.get()).isEqualTo(1);
        } finally {
            NativeThreads.set(before);
        }
        assertThat(NativeThreads.get()).isEqualTo(before);
    }
}
