import { describe, expect, it } from 'vitest'
import { createMemoryDisk, type MemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { Announcer } from '../../src/sync/announce.ts'
import { decodeGossip } from '../../src/sync/gossip-message.ts'
import { ANNOUNCED_NOTE_MS } from '../../src/sync/limits.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, signer, START_MS, TestLog } from '../support/blocks.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'

interface Life {
  readonly store: Store
  readonly announcer: Announcer
  /** Seqs of the blocks in each message. */
  readonly messages: number[][]
  readonly failures: unknown[]
}

class Machine {
  readonly disk: MemoryDisk = createMemoryDisk()
  readonly time = new VirtualTime(START_MS)
  readonly log = new TestLog({ signer: signer(1) })
  /** Set to make publishing fail, or wait. */
  publish: () => Promise<void> = () => Promise.resolve()

  start(): Life {
    const store = openMemoryStore({ disk: this.disk })
    store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    const messages: number[][] = []
    const failures: unknown[] = []
    const announcer = new Announcer({
      store,
      namespace: NAMESPACE,
      host: signer(1).id,
      schedule: (delayMs, run) => this.time.schedule(delayMs, run),
      onFailure: (error) => failures.push(error),
      publish: async (bytes) => {
        const message = decodeGossip(bytes)
        messages.push(
          message.kind === 'run' ? message.run.blocks.map(({ header }) => header.seq) : [message.header.seq],
        )
        await this.publish()
      },
    })
    announcer.start()
    return { store, announcer, messages, failures }
  }

  write(store: Store, count = 1): void {
    for (let index = 0; index < count; index++) store.commit(this.log.write())
  }
}

describe('announcing', () => {
  it('tells what is committed from now on, not what was there before', async () => {
    const machine = new Machine()
    const before = openMemoryStore({ disk: machine.disk })
    before.openNamespace(NAMESPACE, NAMESPACE_NAME)
    machine.write(before)
    await before.close()
    const { store, messages } = machine.start()
    machine.write(store)
    await machine.time.advance(10)
    expect(messages).toEqual([[1]])
  })

  it('goes on after a crash with what was committed and not yet told', async () => {
    const machine = new Machine()
    const first = machine.start()
    machine.write(first.store)
    await machine.time.advance(ANNOUNCED_NOTE_MS + 1)
    // Committed, and dead before anything else could run.
    machine.write(first.store, 2)
    machine.disk.crash()
    await machine.time.advance(10)
    expect(first.messages).toEqual([[0]])
    const second = machine.start()
    await machine.time.advance(10)
    expect(second.messages).toEqual([[1, 2]])
    await first.announcer.stop()
    await second.announcer.stop()
  })

  it('tells nothing twice after a clean stop', async () => {
    const machine = new Machine()
    const first = machine.start()
    machine.write(first.store, 3)
    await machine.time.advance(10)
    await first.announcer.stop()
    await first.announcer.stop()
    await first.store.close()
    const second = machine.start()
    await machine.time.advance(10)
    expect(second.messages).toEqual([])
  })

  it('gathers what is committed while a message is on its way', async () => {
    const machine = new Machine()
    const gate = Promise.withResolvers<void>()
    machine.publish = () => gate.promise
    const { store, messages } = machine.start()
    machine.write(store)
    await machine.time.advance(10)
    machine.write(store, 100)
    await machine.time.advance(10)
    expect(messages).toEqual([[0]])
    gate.resolve()
    await machine.time.advance(10)
    expect(messages.length).toBeLessThan(5)
    expect(messages.flat()).toEqual(Array.from({ length: 101 }, (_, seq) => seq))
  })

  it('tells a block over the limit by its head, between runs of others', async () => {
    const machine = new Machine()
    const { store, messages } = machine.start()
    machine.write(store, 2)
    store.commit(machine.log.write([claim('large', 'x', 'bytes', new Uint8Array(100_000))]))
    machine.write(store, 2)
    await machine.time.advance(10)
    expect(messages).toEqual([[0, 1], [2], [3, 4]])
  })

  it('begins a new run where a log ends or is another', async () => {
    const machine = new Machine()
    const { store, messages } = machine.start()
    const other = new TestLog({ signer: signer(2), host: signer(1).id })
    machine.write(store, 2)
    store.commit(other.write())
    machine.write(store, 1)
    await machine.time.advance(10)
    expect(messages).toEqual([[0, 1], [0], [2]])
  })

  it('goes on when a message could not be published, and says so', async () => {
    const machine = new Machine()
    machine.publish = () => Promise.reject(new Error('no network'))
    const { store, messages, failures } = machine.start()
    machine.write(store)
    await machine.time.advance(10)
    machine.write(store)
    await machine.time.advance(10)
    expect(messages).toEqual([[0], [1]])
    expect(failures).toHaveLength(2)
  })

  it('survives a disk that takes no note: it costs announcing again', async () => {
    const machine = new Machine()
    const { store, announcer, messages } = machine.start()
    machine.write(store)
    machine.disk.fault = 'full'
    await machine.time.advance(ANNOUNCED_NOTE_MS + 1)
    machine.disk.fault = 'none'
    machine.write(store)
    await machine.time.advance(10)
    expect(messages).toEqual([[0], [1]])
    await announcer.stop()
  })
})
