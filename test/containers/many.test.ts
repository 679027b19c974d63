/**
 * `docker compose up --build --scale node=5`, and more of them: they find each other by mDNS and are in sync. The times that are
 * printed are those of design.md 7.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { report } from '../support/cluster.ts'
import type { ContainerNode } from '../support/container-node.ts'
import { Containers, expectConnected, expectEqual, expectInSync } from '../support/containers.ts'

/** `npm run soak` asks for twenty. */
const MANY = Number(process.env['SOAK_NODES'] ?? 10)
const IDLE_MS = 10_000
const SECONDS_MAX: Readonly<Record<number, number>> = { 5: 15, 10: 30 }

for (const count of [5, MANY]) {
  test(`${count} nodes find each other by mDNS on their bridge, replicate, and are in sync`, async () => {
    const startedMs = performance.now()
    await using containers = await Containers.up(count, { build: count === 5 })
    const upMs = performance.now() - startedMs
    const nodes = containers.nodes
    expect(nodes.length).toBe(count)
    // Each says something as soon as it can: only who has heard all of it is in sync with all.
    await Promise.all(nodes.map(async (node) => (await node.ready()).put(`hello-of-${node.number}`)))
    const readyMs = performance.now() - startedMs
    await expectEqual(nodes)
    await expectInSync(nodes)
    const seconds = (ms: number) => (ms / 1_000).toFixed(1)
    const syncMs = performance.now() - startedMs
    const must = SECONDS_MAX[count] === undefined ? '' : `; must be < ${SECONDS_MAX[count]} s`
    report(
      `${count} containers: started in ${seconds(upMs)} s, all answered after ${seconds(readyMs)} s, ` +
        `all in sync after ${seconds(syncMs)} s${must}`,
    )
    if (count === 5) await expectConnected(nodes)
    await reportMemory(nodes)
    await Promise.all(nodes.map((node) => node.putMany(`more-of-${node.number}-`, 20)))
    report(`what ${count} nodes wrote at once was everywhere after ${await expectEqual(nodes)} ms`)
  })
}

/** Of nodes that do nothing but keep in touch. */
async function reportMemory(nodes: readonly ContainerNode[]): Promise<void> {
  await sleep(IDLE_MS)
  const megabytes = await Promise.all(nodes.map(async (node) => Math.round((await node.residentBytes()) / 1e6)))
  report(
    `an idle node of ${nodes.length} has ${Math.min(...megabytes)} to ${Math.max(...megabytes)} MB in RAM; must be < 160`,
  )
}
