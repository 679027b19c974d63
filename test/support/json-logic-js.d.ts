/** What the tests need of the reference implementation, which brings no types. */
declare module 'json-logic-js' {
  const logic: { apply(rule: unknown, data: unknown): unknown }
  export = logic
}
