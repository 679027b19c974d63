/**
 * Every setting of the command line, in one table: from it come the flags, the `RHIZOME_…` variables, the keys of
 * `rhizome.config.json`, `--help` and the table in README.md. What the values mean to a node is told in node/options.ts.
 */

export interface Setting {
  /** The key in `rhizome.config.json`; flag and variable follow from it. */
  readonly key: string
  /** `list` may be repeated and takes commas; `switch` takes no argument. */
  readonly kind: 'text' | 'list' | 'switch' | 'port' | 'choice'
  /** How the argument is called in help. */
  readonly argument?: string
  readonly choices?: readonly string[]
  /** For `--help`: 55 columns at most. */
  readonly help: string
  /** For README.md: what holds when it is not given. */
  readonly otherwise: string
  /** Variables of the first rhizome-node with the same meaning. */
  readonly originals?: readonly string[]
}

export const SETTINGS = [
  {
    key: 'topic',
    kind: 'list',
    argument: '<name>',
    help: 'namespace, or part: shop:*:a-g, shop:none (repeatable)',
    otherwise: 'must be given to run a node',
    originals: ['RHIZOME_PUB_SUB_TOPIC'],
  },
  {
    key: 'peer',
    kind: 'list',
    argument: '<address>',
    help: 'dial host[:4000] or a multiaddr (repeatable)',
    otherwise: 'peers are found by mDNS and on this machine',
    originals: ['RHIZOME_SEED_PEERS'],
  },
  {
    key: 'seed',
    kind: 'list',
    argument: '<name>',
    help: 'dial what the DNS records of name[:4000] name',
    otherwise: 'no name is asked for',
  },
  {
    key: 'via',
    kind: 'list',
    argument: '<address>',
    help: 'be reached through the relay there (repeatable)',
    otherwise: 'who cannot reach this node does not',
  },
  {
    key: 'relay',
    kind: 'switch',
    help: 'be a relay: carry what it cannot read for others',
    otherwise: 'nothing is relayed',
  },
  {
    key: 'dht',
    kind: 'switch',
    help: 'meet nodes of its topics through those it knows',
    otherwise: 'no DHT',
  },
  {
    key: 'upnp',
    kind: 'switch',
    help: 'have the router map the port here (UPnP)',
    otherwise: 'no router is asked to open a port',
  },
  {
    key: 'secret',
    kind: 'text',
    argument: '<text|file>',
    help: 'only nodes with the same secret can connect',
    otherwise: 'open: anyone on the network can connect',
  },
  {
    key: 'name',
    kind: 'text',
    argument: '<name>',
    help: 'what peers call this node (default: the host name)',
    otherwise: 'the host name',
    originals: ['RHIZOME_PEER_ID'],
  },
  {
    key: 'listen',
    kind: 'list',
    argument: '<address>',
    help: 'port, ip:port, multiaddr (default: 4000 or next free)',
    otherwise: 'port 4000 on every IPv4 interface, or the next free port',
    originals: ['RHIZOME_REQUEST_BIND_PORT'],
  },
  {
    key: 'announce',
    kind: 'list',
    argument: '<address>',
    help: 'where a proxy or router outside leads here',
    otherwise: 'others are told the addresses of this machine, and what a router maps',
  },
  {
    key: 'noMdns',
    kind: 'switch',
    help: 'neither ask nor answer on the local network',
    otherwise: 'mDNS is on',
  },
  {
    key: 'data',
    kind: 'text',
    argument: '<directory>',
    help: 'where the data lies (default: found by topic)',
    otherwise: 'the first directory of RHIZOME_HOME that holds the topic and is not in use, else a new one',
  },
  { key: 'memory', kind: 'switch', help: 'keep nothing on disk', otherwise: 'data and identity are kept' },
  {
    key: 'keep',
    kind: 'switch',
    help: 'keeper: hold and serve, write nothing of its own',
    otherwise: 'the node writes',
  },
  {
    key: 'functions',
    kind: 'switch',
    help: 'run functions that are records and name this node',
    otherwise: 'none is run',
  },
  {
    key: 'durability',
    kind: 'choice',
    argument: '<level>',
    choices: ['normal', 'full'],
    help: 'normal: survives kill -9; full: also a power cut',
    otherwise: '`normal`',
  },
  {
    key: 'detector',
    kind: 'choice',
    argument: '<preset>',
    choices: ['lan', 'wan', 'local', 'synchronous', 'off'],
    help: 'how soon a silent member is down: lan, wan, local, …',
    otherwise:
      '`lan`: a killed node is down within 3 s; `wan` suits links that stall, `local` one machine, `off` suspects nobody',
  },
  {
    key: 'members',
    kind: 'list',
    argument: '<peer>',
    help: 'declared members, whose majority uniform counts',
    otherwise: 'none are declared, and `--until uniform` is refused',
  },
  {
    key: 'context',
    kind: 'text',
    argument: '<id>',
    help: 'read in this context unless a read names another',
    otherwise: 'everything is seen; a command takes what its node was started with',
  },
  {
    key: 'httpPort',
    kind: 'port',
    argument: '<port>',
    help: 'HTTP API (default: 3000 or next free)',
    otherwise: '3000, or the next free port',
    originals: ['RHIZOME_HTTP_API_PORT'],
  },
  {
    key: 'httpHost',
    kind: 'text',
    argument: '<host>',
    help: 'beyond 127.0.0.1 a token is needed',
    otherwise: '`127.0.0.1`',
  },
  {
    key: 'httpToken',
    kind: 'text',
    argument: '<file>',
    help: 'file with the token that the HTTP API is to ask for',
    otherwise: 'beyond loopback, the one that `rhizome-node token` made',
  },
  {
    key: 'allowHost',
    kind: 'list',
    argument: '<name>',
    help: 'further Host header to accept (repeatable)',
    otherwise: 'loopback names, and the host listened on',
  },
  {
    key: 'allowOrigin',
    kind: 'list',
    argument: '<origin>',
    help: 'web origin that may call the API (repeatable)',
    otherwise: 'no web page can call the API',
  },
  {
    key: 'textPort',
    kind: 'port',
    argument: '<port>',
    help: 'lines and statements on TCP, for nc and telnet',
    otherwise: 'no such port is opened',
  },
  {
    key: 'textHost',
    kind: 'text',
    argument: '<host>',
    help: 'beyond 127.0.0.1 a token is needed',
    otherwise: '`127.0.0.1`',
  },
  { key: 'noHttp', kind: 'switch', help: 'no HTTP port; commands still work', otherwise: 'the HTTP API is on' },
  {
    key: 'json',
    kind: 'switch',
    help: 'print JSON: one object per line',
    otherwise: 'text for people',
  },
  {
    key: 'verbose',
    kind: 'switch',
    help: 'logs of the network, and stack traces, on stderr',
    otherwise: 'quiet',
  },
] as const satisfies readonly Setting[]

export type SettingKey = (typeof SETTINGS)[number]['key']

/** Variables that are read beside the settings. */
export const HOME_VARIABLE = 'RHIZOME_HOME'
/** Of the first rhizome-node: it published on a port of its own, which libp2p does not need. */
export const IGNORED_VARIABLES = ['RHIZOME_PUBLISH_BIND_PORT'] as const

export const CONFIG_FILE = 'rhizome.config.json'
/** A key of the file alone: contexts of this node, by id. */
export const CONTEXTS_KEY = 'contexts'

/** `httpPort` → `--http-port`. */
export function flagOf(key: string): string {
  return `--${words(key).join('-')}`
}

/** `httpPort` → `RHIZOME_HTTP_PORT`. */
export function variableOf(key: string): string {
  return `RHIZOME_${words(key).join('_').toUpperCase()}`
}

/** The switch that undoes it, for one who set it in the environment or the file: `--no-mdns` → `--mdns`. */
export function inverseFlagOf(key: string): string {
  const [first, ...rest] = words(key)
  return first === 'no' ? `--${rest.join('-')}` : `--no-${words(key).join('-')}`
}

function words(key: string): string[] {
  return key
    .replace(/[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase()
    .split('-')
}
