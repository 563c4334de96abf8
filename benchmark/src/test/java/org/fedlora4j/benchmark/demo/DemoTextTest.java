package org.fedlora4j.benchmark.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.junit.jupiter.api.Test;

class DemoTextTest {
    @Test
    void theSeedAloneMakesTheClientsText() {
        assertThat(DemoText.clients(3)).isEqualTo(DemoText.clients(3)).isNotEqualTo(DemoText.clients(4));
        assertThat(DemoText.pretraining()).isEqualTo(DemoText.pretraining());
    }

    @Test
    void theHeldOutTextIsNotTrainedOn() {
        DemoText.Pretraining text = DemoText.pretraining();
        Set<String> trained = instructions(text.train());
        assertThat(text.heldOut()).hasSizeGreaterThan(20);
        assertThat(instructions(text.heldOut())).doesNotContainAnyElementsOf(trained);
    }

    @Test
    void theBaseNeverSeesTheNewDictionary() {
        assertThat(instructions(DemoText.pretraining().train()))
                .noneMatch(instruction -> List.of(instruction.split(" ")).contains(DemoText.NEW_DICTIONARY));
    }

    @Test
    void clientsAskTheSameAndWantItSaidDifferently() {
        List<InstructionRecord> records = DemoText.clients(1);
        assertThat(records.stream().map(InstructionRecord::category).distinct()).hasSize(6);
        int each = records.size() / 6;
        for (int i = 0; i < records.size(); i++) {
            InstructionRecord pirates = records.get(i % each);
            String partner = pirates.response().substring("arr ".length());
            InstructionRecord record = records.get(i);
            DemoText.Manner manner = DemoText.Manner.valueOf(record.category().toUpperCase(Locale.ROOT));
            assertThat(record.instruction()).isEqualTo(pirates.instruction());
            assertThat(record.response()).isEqualTo(manner.say(partner));
        }
        assertThat(records.stream().map(record -> record.instruction() + record.response()))
                .doesNotHaveDuplicates();
    }

    private static Set<String> instructions(List<InstructionRecord> records) {
        return records.stream().map(InstructionRecord::instruction).collect(Collectors.toSet());
    }
}
