/** Clusters on virtual time whose nodes hold parts of a namespace. */
import { onTestFinished } from 'vitest'
import { type Cluster, createCluster } from '../../src/testing/cluster.ts'

/** Nodes by what each holds, once those that hold a shard answer for it. */
export async function shardedCluster(topicsOf: readonly (readonly string[])[]): Promise<Cluster> {
  const cluster = createCluster({ nodes: topicsOf.length, topics: ['shop'], topicsOf })
  onTestFinished(() => cluster.close())
  await cluster.settle()
  // A shard is answered for once it is known that nobody else holds it.
  await cluster.advance(5_000)
  await cluster.settle()
  return cluster
}

/** What is answered, while virtual time passes. */
export async function within<Found>(cluster: Cluster, answer: Found | Promise<Found>, forMs = 30_000): Promise<Found> {
  if (!(answer instanceof Promise)) return answer
  let isOver = false
  const watched = answer.finally(() => (isOver = true))
  watched.catch(() => undefined)
  for (let ms = 0; !isOver && ms < forMs; ms += 10) await cluster.advance(10)
  if (!isOver) throw new Error(`nothing within ${forMs} ms`)
  return watched
}
