/** Which backends are there on this machine, and which one a new cluster takes. The one place that names implementations. */

import { spawnSync } from 'node:child_process'
import type { Backend } from './backend.ts'
import { build } from './build.ts'
import { findCompose } from './compose-file.ts'
import { dockerBackend } from './docker.ts'
import { ClusterError } from './cluster-error.ts'
import { localBackend } from './local.ts'
import { netnsGround } from './netns.ts'
import { processGround } from './process.ts'
import { type BackendKind, BACKENDS, type State } from './state.ts'

/** What a look found: nothing missing, or in words for people what is. */
type Found = { readonly missing?: undefined } | { readonly missing: string }

export interface Chosen {
  readonly kind: BackendKind
  /** Why not an earlier one, for people. */
  readonly passedOver: readonly string[]
}

const LOOK_MS = 5_000

/** The first that is there, in the order of BACKENDS; or the one that was asked for, or an error that says what it lacks. */
export function choose(wanted: BackendKind | undefined): Chosen {
  const passedOver: string[] = []
  for (const kind of wanted === undefined ? BACKENDS : [wanted]) {
    const { missing } = look(kind)
    if (missing === undefined) return { kind, passedOver }
    passedOver.push(`${kind}: ${missing}`)
  }
  throw new ClusterError(`no cluster can be made here; ${passedOver.join('; ')}`)
}

function look(kind: BackendKind): Found {
  switch (kind) {
    case 'docker':
      return lookForDocker()
    case 'netns':
      return lookForNamespaces()
    case 'process':
      return process.platform === 'win32' ? { missing: 'Windows has no process groups; use WSL or Docker' } : {}
  }
}

export function openBackend(kind: BackendKind, state: State, tell: (line: string) => void): Backend {
  const parts = { state, build: (checkout: string) => build(checkout, tell) }
  switch (kind) {
    case 'docker':
      return dockerBackend({ state, compose: findCompose(process.env) ?? ['docker', 'compose'], tell })
    case 'netns':
      return localBackend({ ...parts, ground: netnsGround(state, flagsOfUnshare() ?? []) })
    case 'process':
      return localBackend({ ...parts, ground: processGround(state) })
  }
}

function lookForDocker(): Found {
  const engine = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    encoding: 'utf8',
    timeout: LOOK_MS,
  })
  if (engine.error !== undefined) return { missing: 'there is no command docker' }
  if (engine.status !== 0) return { missing: 'no engine answers' }
  return findCompose(process.env) === undefined ? { missing: 'there is neither docker compose nor docker-compose' } : {}
}

function lookForNamespaces(): Found {
  if (process.platform !== 'linux') return { missing: 'network namespaces are a thing of Linux' }
  const absent = [
    ['ip', 'iproute2'],
    ['unshare', 'util-linux'],
    ['nsenter', 'util-linux'],
  ].filter(([program = '']) => spawnSync(program, ['--help'], { stdio: 'ignore' }).error !== undefined)
  if (absent.length > 0)
    return { missing: absent.map(([program, from]) => `there is no ${program} (package ${from})`).join(', ') }
  return flagsOfUnshare() === undefined
    ? { missing: 'it needs root, or user namespaces, which this machine forbids' }
    : {}
}

/** How namespaces can be made here: as root directly, else in a user namespace; undefined: not at all. */
function flagsOfUnshare(): readonly string[] | undefined {
  const ways = process.getuid?.() === 0 ? [[], ['--map-root-user']] : [['--map-root-user']]
  return ways.find((flags) => {
    const words = [...flags, '--net', '--mount', '--propagation', 'private', 'mount', '-t', 'tmpfs', 'tmpfs', '/run']
    return spawnSync('unshare', words, { stdio: 'ignore', timeout: LOOK_MS }).status === 0
  })
}
