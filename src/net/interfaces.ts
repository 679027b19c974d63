/** The network interfaces of this machine, and what kind each is: over which of them could another machine be met? */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

export type InterfaceKind = 'loopback' | 'lan' | 'vpn' | 'virtual'

export interface Interface {
  readonly name: string
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly kind: InterfaceKind
}

/** Bridges and virtual cables of containers and virtual machines, by the names that their makers give them. */
const VIRTUAL = /^(docker|br-|veth|virbr|vmnet|vboxnet|vethernet|cni|flannel|cali|podman|lxc|lxdbr|bridge\d)/i
const VPN = /^(tun|tap|wg|utun|ppp|ipsec|tailscale|zt|nordlynx|proton|gpd)/i

export function interfacesHere(all: ReturnType<typeof networkInterfaces> = networkInterfaces()): readonly Interface[] {
  return Object.entries(all).flatMap(([name, addresses]) =>
    (addresses ?? []).filter(isUseful).map(({ address, family, internal }) => {
      return { name, address, family, kind: internal ? 'loopback' : kindOf(name) }
    }),
  )
}

/** A link-local IPv6 address needs a zone to be dialled, and says nothing about the network. */
function isUseful({ family, address }: NetworkInterfaceInfo): boolean {
  return family === 'IPv4' || !address.toLowerCase().startsWith('fe80:')
}

function kindOf(name: string): InterfaceKind {
  if (VIRTUAL.test(name)) return 'virtual'
  return VPN.test(name) ? 'vpn' : 'lan'
}
