package org.fedlora4j.benchmark.data;

/**
 * An instruction and its wanted response.
 *
 * @param input what the instruction is about, empty if there is nothing more than the instruction
 * @param category the kind of task, empty if unknown
 * @param id names the record in messages and results
 */
public record InstructionRecord(String instruction, String input, String response, String category, String id) {}
