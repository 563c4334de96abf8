package org.fedlora4j.tests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;

/** The arrows of ARCHITECTURE.md, and what no class may do. */
@AnalyzeClasses(packages = "org.fedlora4j", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule modulesDependOnlyAlongTheArrows = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .withOptionalLayers(true)
            .layer("common")
            .definedBy("org.fedlora4j.common..")
            .layer("hub")
            .definedBy("org.fedlora4j.hub..")
            .layer("tokenizer")
            .definedBy("org.fedlora4j.tokenizer..")
            .layer("kernels")
            .definedBy("org.fedlora4j.kernels..")
            .layer("model")
            .definedBy("org.fedlora4j.model..")
            .layer("converter")
            .definedBy("org.fedlora4j.converter..")
            .layer("lora")
            .definedBy("org.fedlora4j.lora..")
            .layer("federation")
            .definedBy("org.fedlora4j.federation..")
            .layer("spark")
            .definedBy("org.fedlora4j.spark..")
            .layer("grpc")
            .definedBy("org.fedlora4j.grpc..")
            .layer("benchmark")
            .definedBy("org.fedlora4j.benchmark..")
            .layer("cli")
            .definedBy("org.fedlora4j.cli..")
            .layer("examples")
            .definedBy("org.fedlora4j.examples..")
            .whereLayer("common")
            .mayNotAccessAnyLayer()
            .whereLayer("hub")
            .mayOnlyAccessLayers("common")
            .whereLayer("tokenizer")
            .mayOnlyAccessLayers("common")
            .whereLayer("kernels")
            .mayNotAccessAnyLayer()
            .whereLayer("kernels")
            .mayOnlyBeAccessedByLayers("model", "lora", "benchmark")
            .whereLayer("model")
            .mayOnlyAccessLayers("common", "kernels")
            .whereLayer("converter")
            .mayOnlyAccessLayers("common", "tokenizer", "model")
            .whereLayer("lora")
            .mayOnlyAccessLayers("common", "kernels", "model")
            .whereLayer("federation")
            .mayOnlyAccessLayers("common", "model", "lora")
            .whereLayer("spark")
            .mayOnlyAccessLayers("common", "model", "lora", "federation")
            .whereLayer("grpc")
            .mayOnlyAccessLayers("common", "model", "lora", "federation")
            .whereLayer("benchmark")
            .mayOnlyAccessLayers("common", "tokenizer", "kernels", "model", "lora", "federation")
            .whereLayer("cli")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("examples")
            .mayNotBeAccessedByAnyLayer();

    @ArchTest
    static final ArchRule aggregationIsArithmeticOnUpdates = noClasses()
            .that()
            .resideInAnyPackage("org.fedlora4j.federation.aggregate..", "org.fedlora4j.federation.optimizer..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.fedlora4j.model..", "org.nd4j..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule buildingBlocksDontKnowTheirUsers = noClasses()
            .that()
            .resideInAnyPackage(
                    "org.fedlora4j.model.config..",
                    "org.fedlora4j.model.weights..",
                    "org.fedlora4j.model.nn..",
                    "org.fedlora4j.model.exec..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.fedlora4j.model")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("org.fedlora4j.(**)").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule noNd4jBelowTheModel = noClasses()
            .that()
            .resideInAnyPackage("org.fedlora4j.common..", "org.fedlora4j.hub..", "org.fedlora4j.tokenizer..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.nd4j..");

    @ArchTest
    static final ArchRule noShadedLibraries = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.nd4j.shade..")
            .because("ND4J's copies are old and have known vulnerabilities");

    @ArchTest
    static final ArchRule noJavaSerialization = noClasses()
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(ObjectInputStream.class, ObjectOutputStream.class)
            .because("reading it runs code of the file's author");

    @ArchTest
    static final ArchRule onlyTheCommandExits = noClasses()
            .that()
            .doNotHaveFullyQualifiedName("org.fedlora4j.cli.Main")
            .should()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class);
}
