/**
 * What peers in benchmarks are known by.
 *
 * @module
 */

/** The secret of all of them. */
export const SECRET: string = `whsec_${btoa("a secret of the servers in benchmarks")}`;
