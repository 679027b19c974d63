/**
 * The file that compose is given, and which compose there is. Every node is a service that extends `node` of the checkout's
 * compose.yaml: what an image is made of and what a container may do is said there alone.
 */

import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeName } from './names.ts'
import type { ClusterRecord } from './state.ts'

const HERE = dirname(fileURLToPath(import.meta.url))
const SCRIPT_INSIDE = '/start-up'
const FOLDER_INSIDE = '/cluster'
/** Memory of the container: gone with its process, as the note of a failed start-up must be. */
export const LIFE_INSIDE = '/tmp'
export const MESH = 'mesh'

export interface ComposeFileParts {
  readonly record: ClusterRecord
  readonly indexes: readonly number[]
  /** Marks everything that is made. */
  readonly label: readonly [name: string, value: string]
  /** Of the network on which all meet. */
  readonly meshName: string
}

/** JSON, which is YAML. Dollar signs of values are doubled, or compose would put variables in their place. */
export function composeFile({ record, indexes, label, meshName }: ComposeFileParts): string {
  const labels = { [label[0]]: label[1] }
  const services = indexes.map((index) => [nodeName(record.project, index), service(record, index, labels)])
  const file = {
    services: Object.fromEntries(services) as object,
    networks: { [MESH]: { name: meshName, driver: 'bridge', labels } },
  }
  return JSON.stringify(
    file,
    (_key, value: unknown) => (typeof value === 'string' ? value.replaceAll('$', '$$$$') : value),
    2,
  )
}

function service(record: ClusterRecord, index: number, labels: Readonly<Record<string, string>>): object {
  const { project, checkout, topic, token = '', settings, script } = record
  const name = nodeName(project, index)
  const place = [`${HERE}:${FOLDER_INSIDE}:ro`, `${join(HERE, 'inside', 'cluster')}:/usr/local/bin/cluster:ro`]
  return {
    extends: { file: join(checkout, 'compose.yaml'), service: 'node' },
    container_name: name,
    hostname: name,
    // One that ends is to be seen.
    restart: 'no',
    labels: { ...labels, 'io.rhizome.index': String(index) },
    networks: { [MESH]: { aliases: [name] } },
    volumes: script === undefined ? place : [...place, `${script}:${SCRIPT_INSIDE}:ro`],
    environment: {
      ...settings,
      RHIZOME_TOPIC: topic,
      RHIZOME_NAME: name,
      RHIZOME_HTTP_TOKEN: token,
      CLUSTER_PROJECT: project,
      CLUSTER_INDEX: String(index),
      CLUSTER_LIFE: LIFE_INSIDE,
    },
    ...(script === undefined
      ? {}
      : { entrypoint: ['sh', `${FOLDER_INSIDE}/start.sh`, SCRIPT_INSIDE, 'node', '/app/dist/bin.js'] }),
  }
}

/** The words that call compose, of the variable COMPOSE first; undefined: there is none. */
export function findCompose(environment: NodeJS.ProcessEnv): readonly [string, ...string[]] | undefined {
  const given = (environment['COMPOSE'] ?? '').split(' ').filter((word) => word !== '')
  return [given, ['docker', 'compose'], ['docker-compose']]
    .map(([program, ...words]) => (program === undefined ? undefined : ([program, ...words] as const)))
    .find((words) => words !== undefined && answers(words))
}

function answers([program, ...words]: readonly [string, ...string[]]): boolean {
  return spawnSync(program, [...words, 'version'], { stdio: 'ignore' }).status === 0
}
