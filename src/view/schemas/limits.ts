/**
 * What a schema may take. Schemas come from whoever writes to the namespace, so each of them, and each use of one, ends
 * within these numbers; all nodes have the same, so that all find the same records in order. design.md 5.
 */

/** Values in a JSON Schema, keys included. */
export const SCHEMA_ITEMS_MAX = 16_384
/** Nesting of a JSON Schema: more than a delta's value may have. */
export const SCHEMA_DEPTH_MAX = 64
/** UTF-16 units of one pattern. */
export const PATTERN_UNITS_MAX = 1_024
/** Steps of one pattern's program: a repeated part counts as often as it may repeat. */
export const PATTERN_STEPS_MAX = 1_024
/** Steps of all patterns of a schema. */
export const PATTERNS_STEPS_MAX = 16_384

/** Schemas applied within one another: past it, a `$ref` leads back to itself. */
export const APPLIED_DEPTH_MAX = 512
/** Nesting of a record: more than a rule's result may have, and than a value that is written. */
export const VALUE_LEVELS_MAX = 64
/** Reasons that one validation gives. */
export const FAULTS_MAX = 16

/**
 * Gas of one validation, and what each value in the record adds to it. A unit is some 50 ns: a schema keeps a node busy for
 * 10 ms with a small record.
 */
export const GAS_BASE = 100_000
export const GAS_PER_ITEM = 64
/** UTF-16 units of text that one unit of gas reads. */
export const GAS_TEXT_UNITS = 32
/** States of a pattern that one unit of gas visits. */
export const GAS_PATTERN_STATES = 4
