import type { Net, NetEvent } from '../../src/net/net.ts'

/** Long enough for a loaded machine; a test that waits so long has failed. */
const DEADLINE_MS = 15_000
const LOOK_MS = 5

/** Waits until the thing itself is so, looking often. Fails with its name at the deadline. */
export async function until(what: string, isSo: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
  const endMs = Date.now() + deadlineMs
  while (!isSo()) {
    if (Date.now() > endMs) throw new Error(`in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** Waits for a promise under the deadline. */
export async function within<T>(what: string, promise: Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`in vain: ${what}`)), deadlineMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Collects the events of a network from now on. */
export function eventsOf(net: Net): NetEvent[] {
  const events: NetEvent[] = []
  net.onEvent((event) => events.push(event))
  return events
}

export function knows(net: Net, peer: Net): boolean {
  return net.peers().some(({ id }) => id === peer.self)
}

export async function connected(...nets: readonly Net[]): Promise<void> {
  for (const net of nets) {
    const others = nets.filter((other) => other !== net)
    await until(`${net.self} connects`, () => others.every((other) => knows(net, other)))
  }
}

/** Waits until each knows that all the others have joined the topic. */
export async function gathered(topic: string, ...nets: readonly Net[]): Promise<void> {
  for (const net of nets) {
    await until(`${net.self} sees all in ${topic}`, () =>
      nets.every(
        (other) => other === net || net.peers().some((peer) => peer.id === other.self && peer.topics.includes(topic)),
      ),
    )
  }
}
