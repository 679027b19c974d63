/**
 * Whether a firewall is at work on this machine, and which rules would let nodes through. Hints alone: it asks the tools that
 * are there and changes nothing. What needs rights that this user lacks is said so.
 */

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Finding } from './finding.ts'

const ASK_MS = 3_000
const OUTPUT_BYTES_MAX = 4 * 1_048_576
const MDNS_PORT = 5_353

export type FirewallName = 'ufw' | 'firewalld' | 'nftables' | 'iptables' | 'macOS' | 'Windows'

export type FirewallState =
  | { readonly kind: 'none' }
  | { readonly kind: 'active'; readonly firewall: FirewallName }
  | { readonly kind: 'unknown'; readonly why: 'rights' | 'platform' }

export async function lookForFirewall(platform: NodeJS.Platform = process.platform): Promise<FirewallState> {
  if (platform === 'linux') return onLinux()
  if (platform === 'darwin') return onMac()
  if (platform === 'win32') return { kind: 'active', firewall: 'Windows' }
  return { kind: 'unknown', why: 'platform' }
}

export function judgeFirewall(state: FirewallState, port: number): Finding {
  const check = 'firewall'
  if (state.kind === 'none') return { check, verdict: 'pass', kind: 'firewall-none' }
  if (state.kind === 'unknown') return { check, verdict: 'skip', kind: 'firewall-unknown', why: state.why }
  const { firewall } = state
  return { check, verdict: 'warn', kind: 'firewall-active', firewall, rules: RULES[firewall](port) }
}

/** What lets nodes through, to be typed by whoever wants that. */
const RULES: Readonly<Record<FirewallName, (port: number) => readonly string[]>> = {
  ufw: (port) => [`sudo ufw allow ${port}/tcp`, `sudo ufw allow ${MDNS_PORT}/udp`],
  firewalld: (port) => [
    `sudo firewall-cmd --permanent --add-port=${port}/tcp --add-service=mdns`,
    'sudo firewall-cmd --reload',
  ],
  nftables: (port) => [
    `sudo nft insert rule inet <table> <input chain> tcp dport ${port} accept`,
    `sudo nft insert rule inet <table> <input chain> udp dport ${MDNS_PORT} accept`,
  ],
  iptables: (port) => [
    `sudo iptables -I INPUT -p tcp --dport ${port} -j ACCEPT`,
    `sudo iptables -I INPUT -p udp --dport ${MDNS_PORT} -j ACCEPT`,
  ],
  macOS: () => ['System Settings, Network, Firewall, Options: let "node" take incoming connections'],
  Windows: (port) => [
    `netsh advfirewall firewall add rule name=rhizome-node dir=in action=allow protocol=TCP localport=${port}`,
    `netsh advfirewall firewall add rule name=mDNS dir=in action=allow protocol=UDP localport=${MDNS_PORT}`,
  ],
}

async function onLinux(): Promise<FirewallState> {
  const ufw = await readFile('/etc/ufw/ufw.conf', 'utf8').catch(() => '')
  if (/^ENABLED=yes$/m.test(ufw)) return { kind: 'active', firewall: 'ufw' }
  const firewalld = await ask('firewall-cmd', ['--state'])
  if (firewalld.kind === 'said' && firewalld.out.trim() === 'running') return { kind: 'active', firewall: 'firewalld' }
  const nft = await ask('nft', ['--json', 'list', 'ruleset'])
  if (nft.kind === 'said' && filtersInput(nft.out)) return { kind: 'active', firewall: 'nftables' }
  const iptables = await ask('iptables', ['--list-rules', 'INPUT'])
  if (iptables.kind === 'said' && dropsInput(iptables.out)) return { kind: 'active', firewall: 'iptables' }
  const asked = [nft, iptables].filter(({ kind }) => kind !== 'absent')
  // The tools are there, and this user may not look.
  const isHidden = asked.length > 0 && asked.every(({ kind }) => kind === 'refused')
  return isHidden ? { kind: 'unknown', why: 'rights' } : { kind: 'none' }
}

async function onMac(): Promise<FirewallState> {
  const state = await ask('/usr/libexec/ApplicationFirewall/socketfilterfw', ['--getglobalstate'])
  if (state.kind !== 'said') return { kind: 'unknown', why: 'rights' }
  return /disabled/i.test(state.out) ? { kind: 'none' } : { kind: 'active', firewall: 'macOS' }
}

/** True where a chain of the input hook drops or rejects by policy or by a rule. `json` is that of `nft -j list ruleset`. */
export function filtersInput(json: string): boolean {
  const { nftables = [] } = parseJson(json)
  const inputs = new Set<string>()
  for (const { chain } of nftables) {
    if (chain?.hook !== 'input') continue
    if (chain.policy === 'drop') return true
    inputs.add(keyOf(chain.family, chain.table, chain.name))
  }
  return nftables.some(
    ({ rule }) =>
      rule !== undefined &&
      inputs.has(keyOf(rule.family, rule.table, rule.chain)) &&
      (rule.expr ?? []).some((part) => 'drop' in part || 'reject' in part || 'jump' in part || 'goto' in part),
  )
}

interface Ruleset {
  readonly nftables?: readonly {
    readonly chain?: {
      readonly family: string
      readonly table: string
      readonly name: string
      readonly hook?: string
      readonly policy?: string
    }
    readonly rule?: {
      readonly family: string
      readonly table: string
      readonly chain: string
      readonly expr?: readonly object[]
    }
  }[]
}

function parseJson(json: string): Ruleset {
  try {
    return JSON.parse(json) as Ruleset
  } catch {
    // A hint: what cannot be read says nothing.
    return {}
  }
}

function keyOf(...parts: readonly string[]): string {
  return parts.join(' ')
}

/** `rules` is what `iptables -S INPUT` prints. */
export function dropsInput(rules: string): boolean {
  return /^-P INPUT DROP/m.test(rules) || /^-A INPUT .*-j (DROP|REJECT)/m.test(rules)
}

type Said = { readonly kind: 'said'; readonly out: string } | { readonly kind: 'absent' } | { readonly kind: 'refused' }

async function ask(program: string, words: readonly string[]): Promise<Said> {
  try {
    const { stdout } = await promisify(execFile)(program, [...words], { timeout: ASK_MS, maxBuffer: OUTPUT_BYTES_MAX })
    return { kind: 'said', out: stdout }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? { kind: 'absent' } : { kind: 'refused' }
  }
}
