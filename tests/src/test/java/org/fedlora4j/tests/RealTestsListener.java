package org.fedlora4j.tests;

import java.util.stream.Collectors;
import org.junit.platform.engine.TestTag;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/** Prints which tests the Maven profile {@code real} adds: those tagged so. */
public final class RealTestsListener implements TestExecutionListener {
    private static final TestTag REAL = TestTag.create("real");

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
        String names = plan.getRoots().stream()
                .flatMap(root -> plan.getDescendants(root).stream())
                .filter(TestIdentifier::isTest)
                .filter(test -> test.getTags().contains(REAL))
                .map(test ->
                        plan.getParent(test).map(TestIdentifier::getDisplayName).orElse("") + "."
                                + test.getDisplayName())
                .sorted()
                .collect(Collectors.joining("\n  "));
        if (!names.isEmpty()) {
            System.out.println("Profile real adds:\n  " + names);
        }
    }
}
