/**
 * Tests that start, cut and kill real processes; too long for `npm test`. Two files at a time: some load the machine, others
 * wait most of the time.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/processes/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 300_000,
  },
})
