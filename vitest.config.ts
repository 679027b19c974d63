/** `npm test`: everything that needs nothing but Node. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/real-network/**', 'test/processes/**', 'test/containers/**'],
    testTimeout: 20_000,
    // Vitest's own choice leaves one processor idle: on two, half of them.
    maxWorkers: '100%',
    coverage: { include: ['src/**'], exclude: ['src/bin.ts'] },
  },
})
