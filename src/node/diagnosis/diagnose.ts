/**
 * Step by step why two nodes do not see each other: from the machine (version, disk, identity, clock) over the network here
 * (interfaces, port, firewall, multicast) to the peers. Changes nothing but a file that it writes and removes to try the disk.
 * Works beside a running node, whose word it takes, and without one. Each step is probed in the room that owns it and
 * judged in a file beside this one.
 */

import { openNamespaceId, topicOf } from '../../log/namespace.ts'
import { interfacesHere } from '../../net/interfaces.ts'
import { probeMulticast } from '../../net/diagnosis/multicast.ts'
import { judgeClock, judgeIdentity, judgeSecret, judgeVersion } from './own.ts'
import { judgeDisk, judgeStore } from './disk.ts'
import type { Finding } from './finding.ts'
import { judgeFirewall, lookForFirewall } from './firewall.ts'
import { judgeInterfaces } from './interfaces.ts'
import { heardNodes, judgeMulticast } from './multicast.ts'
import { judgeNamespaces } from './namespaces.ts'
import type { DiagnoseOptions } from './options.ts'
import { addressesToTry, askSeeds, examinePeers, type Examined } from './peers.ts'
import { checkPort, portOf } from './port.ts'

/**
 * Findings as they are made, in the order of `CHECKS`. It takes some 3 seconds where everything works, some more for each
 * peer that does not answer. Throws RZ_NAMESPACE_NAME, and the signal's reason.
 */
export async function* diagnose(options: DiagnoseOptions = {}): AsyncGenerator<Finding> {
  const { running, signal, mdns = true } = options
  const topics = options.topics ?? running?.namespaces ?? []
  for (const topic of topics) openNamespaceId(topic)
  yield judgeVersion(process.versions.node)
  yield await judgeDisk(options)
  yield judgeStore(options)
  const identity = await judgeIdentity(options)
  yield identity
  yield await judgeSecret(options)
  yield judgeClock(running)
  const interfaces = interfacesHere()
  yield judgeInterfaces(interfaces)
  signal?.throwIfAborted()
  yield* checkPort(options)
  yield judgeFirewall(await lookForFirewall(), portOf(options))
  signal?.throwIfAborted()
  const own = running?.peerId ?? (identity.kind === 'identity-good' ? identity.peer : undefined)
  const probing = {
    ...(signal && { signal }),
    ...(options.serviceTag !== undefined && { serviceTag: options.serviceTag }),
  }
  const report = mdns ? await probeMulticast(probing) : undefined
  const here = new Set(interfaces.map(({ address }) => address))
  yield* judgeMulticast(report, { own, here, isRunning: running !== undefined })
  const heard = heardNodes(report?.answers ?? []).filter(({ id }) => id !== own)
  const gossipTopics = new Map(topics.map((topic) => [topicOf(topic), topic]))
  const examining = { ...options, own, heard, gossipTopics }
  const seeded: string[] = []
  yield* askSeeds(options, seeded)
  const addresses = addressesToTry(examining, seeded)
  const examined: Examined[] = []
  yield* examinePeers(addresses, examining, examined)
  yield* judgeNamespaces(topics, { running, examined, triedCount: addresses.length })
}
