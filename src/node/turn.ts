/** Work that goes on and on lets the rest of the process have its turn. */

import type { Environment } from './environment.ts'

const TURN_MS = 5

export class Turn {
  readonly #environment: Environment
  #startMs: number

  constructor(environment: Environment) {
    this.#environment = environment
    this.#startMs = environment.steadyMs()
  }

  /** Resolves at once, or after whatever else waits when this has worked for so long. */
  async breathe(): Promise<void> {
    const { steadyMs, defer } = this.#environment
    if (steadyMs() - this.#startMs < TURN_MS) return
    await new Promise<void>((resolve) => {
      defer(resolve)
    })
    this.#startMs = steadyMs()
  }
}
