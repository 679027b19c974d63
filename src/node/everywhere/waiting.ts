/** Waiting that ends with the node. */

import type { Environment } from '../environment.ts'

/** Throws the signal's reason when it ends meanwhile. */
export async function waitFor(delayMs: number, environment: Environment, closing: AbortSignal): Promise<void> {
  closing.throwIfAborted()
  const { promise, resolve } = Promise.withResolvers<void>()
  const onClose = (): void => resolve()
  const cancel = environment.schedule(delayMs, onClose)
  closing.addEventListener('abort', onClose, { once: true })
  await promise
  cancel()
  closing.removeEventListener('abort', onClose)
  closing.throwIfAborted()
}

/** What rings while nobody waits is remembered, so that who looks first and waits then misses nothing. One waits at a time. */
export class Wake {
  #isRung = false
  #resolve: (() => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#resolve?.()
  }

  async wait(): Promise<void> {
    if (!this.#isRung) await new Promise<void>((resolve) => (this.#resolve = resolve))
    this.#isRung = false
    this.#resolve = undefined
  }
}
