/**
 * Tests that need a network of their own; `npm run test:network` runs them in a namespace. Two files at a time: each LAN is
 * apart from the others, and most of the time is waiting for cuts to end.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/real-network/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 300_000,
  },
})
