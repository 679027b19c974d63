/** Tests that start, cut and kill real processes; too long for `npm test`. One file at a time: they load the machine. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/processes/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
  },
})
