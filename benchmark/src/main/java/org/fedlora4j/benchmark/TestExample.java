package org.fedlora4j.benchmark;

import org.fedlora4j.federation.Example;

/**
 * A record that models are evaluated on.
 *
 * @param example scored for loss and token accuracy
 * @param prompt the tokens to generate a response from, not cut off
 * @param reference the whole wanted response
 */
record TestExample(Example example, int[] prompt, String reference) {}
