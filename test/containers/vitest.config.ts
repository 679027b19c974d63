/**
 * Tests with containers; `npm run test:containers` gives them an engine of their own. One file at a time, so that the numbers that
 * are printed are those of what the file started; inside a file tests that wait for time to pass wait together.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/containers/**/*.test.ts'],
    globalSetup: ['test/containers/image.ts'],
    fileParallelism: false,
    maxConcurrency: 3,
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
})
