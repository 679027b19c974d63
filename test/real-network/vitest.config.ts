/** Tests that need a network of their own; `npm run test:network` runs them in a namespace. One at a time: they share it. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/real-network/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
  },
})
