/** Every command beside the default one: its words, flags, help and exit codes. What it does is loaded when it is called. */

import type { CommandSpec } from './call.ts'
import { EXIT } from './exit-codes.ts'
import { type SettingKey, SETTINGS } from './settings.ts'

/** Which node is meant, and how its answer is printed. */
const TALK = ['topic', 'data', 'json', 'verbose'] as const
const RUN: readonly SettingKey[] = SETTINGS.map(({ key }) => key)
const RECORD = ['<record>', 'collection/id, such as user/alice'] as const
const AS = ['--as <identity>', 'sign as this identity of the node'] as const

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'put',
    summary: 'set properties of a record; the others stay as they are',
    words: [RECORD, ['<property...>', 'name=Alice for a text, age:=3 for JSON']],
    options: [AS],
    settings: [...TALK, 'durability'],
    examples: [
      'npx rhizome-node put user/alice name=Alice age:=3',
      `npx rhizome-node put user/alice tags:='["a","b"]' admin:=true`,
    ],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.noNode],
    run: async (call) => (await import('./records.ts')).put(call),
  },
  {
    name: 'get',
    summary: 'print a record: the latest value of each property',
    words: [RECORD],
    settings: TALK,
    examples: ['npx rhizome-node get user/alice', 'npx rhizome-node get user/alice --json'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.notFound, EXIT.noNode],
    run: async (call) => (await import('./records.ts')).get(call),
  },
  {
    name: 'delete',
    summary: 'delete a record: negates every claim about it that this node has seen',
    words: [RECORD],
    options: [AS],
    settings: [...TALK, 'durability'],
    examples: ['npx rhizome-node delete user/alice'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.notFound, EXIT.noNode],
    run: async (call) => (await import('./records.ts')).remove(call),
  },
  {
    name: 'ids',
    summary: 'print the ids of the records of a collection',
    words: [['<collection>', 'such as user']],
    settings: TALK,
    examples: ['npx rhizome-node ids user', 'npx rhizome-node ids user | wc -l'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.noNode],
    run: async (call) => (await import('./records.ts')).ids(call),
  },
  {
    name: 'tail',
    summary: 'print deltas as they are written here or come in, until Ctrl-C',
    words: [],
    options: [['--all', 'begin with the oldest instead of with what comes next']],
    settings: TALK,
    examples: ['npx rhizome-node tail', 'npx rhizome-node tail --all --json | jq .pointers'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.noNode],
    run: async (call) => (await import('./tail.ts')).tail(call),
  },
  {
    name: 'status',
    summary: 'print what the node holds and whether it is in sync',
    words: [],
    settings: TALK,
    examples: ['npx rhizome-node status', 'npx rhizome-node status --json'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.noNode],
    run: async (call) => (await import('./status.ts')).status(call),
  },
  {
    name: 'peers',
    summary: 'print who is connected',
    words: [],
    settings: TALK,
    examples: ['npx rhizome-node peers'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.noNode],
    run: async (call) => (await import('./status.ts')).peers(call),
  },
  {
    name: 'import',
    summary: 'put every record of a file; importing twice adds nothing',
    words: [['<file>', 'NDJSON, CSV or JSON; - for stdin']],
    options: [
      ['--into <collection>', 'collection of the records (required)'],
      ['--id <column>', 'column with the ids (default: id, else made of the content)'],
      ['--format <format>', 'ndjson, csv or json (default: by name and beginning)'],
      AS,
    ],
    settings: [...TALK, 'durability'],
    examples: [
      'npx rhizome-node import people.csv --into user --id email',
      'cat cities.json | npx rhizome-node import - --into city',
    ],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.partly, EXIT.noNode],
    run: async (call) => (await import('./import.ts')).importFile(call),
  },
  {
    name: 'export',
    summary: 'print every delta as NDJSON, or the records of a collection',
    words: [],
    options: [['--collection <name>', 'records instead of deltas; import takes them back']],
    settings: TALK,
    examples: ['npx rhizome-node export > deltas.ndjson', 'npx rhizome-node export --collection user > user.ndjson'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.noNode],
    run: async (call) => (await import('./export.ts')).exportData(call),
  },
  {
    name: 'invite',
    summary: 'print one line with which a colleague joins',
    words: [],
    settings: TALK,
    examples: ['npx rhizome-node invite'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.noNode],
    run: async (call) => (await import('./invite.ts')).invite(call),
  },
  {
    name: 'join',
    summary: 'run a node with what an invitation says',
    words: [['<line>', 'what npx rhizome-node invite printed; - for stdin']],
    settings: RUN,
    examples: ['npx rhizome-node join rhizome:…', 'npx rhizome-node join - < line.txt'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.interrupted],
    run: async (call) => (await import('./invite.ts')).join(call),
  },
  {
    name: 'identity',
    summary: 'show, export or import the keys that sign what this node writes',
    words: [
      ['<action>', 'show, export or import'],
      ['[file]', 'to import from; - for stdin'],
    ],
    options: [
      ['--as <identity>', 'which one (default: default)'],
      ['--replace', 'import: put it in the place of one that is there'],
    ],
    settings: TALK,
    examples: [
      'npx rhizome-node identity show',
      'npx rhizome-node identity export > key.json     (a private key: keep it so)',
      'npx rhizome-node identity import key.json --as laptop',
    ],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.noNode],
    run: async (call) => (await import('./identity.ts')).identity(call),
  },
  {
    name: 'token',
    summary: 'make a new token for the HTTP API and print it; the old one ends',
    words: [],
    settings: TALK,
    examples: ['npx rhizome-node token'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.noNode],
    run: async (call) => (await import('./token.ts')).token(call),
  },
  {
    name: 'rule',
    summary: 'run JSON-Logic rules from stdin, a line each',
    words: [],
    settings: [],
    examples: [`echo '{"rule":{"+":[1,{"var":"n"}]},"data":{"n":2}}' | npx rhizome-node rule`],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage],
    run: async (call) => (await import('./rule.ts')).rule(call),
  },
  {
    name: 'repair',
    summary: 'mend a damaged store: sets damage aside and fetches it from peers',
    words: [],
    settings: RUN.filter((key) => key !== 'memory' && key !== 'keep'),
    examples: ['npx rhizome-node repair --topic users'],
    exits: [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.noNode],
    run: async (call) => (await import('./repair.ts')).repair(call),
  },
]
