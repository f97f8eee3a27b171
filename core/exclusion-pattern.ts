/** Owns what may name packages that must not change. */

/** A package name in which `*` stands for any characters. */
export const exclusionPattern = /^[A-Za-z0-9*][A-Za-z0-9*+._@-]{0,127}$/;
