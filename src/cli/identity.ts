/** The command `identity`: the keys that sign what a node writes. They are files, so no node need run. */

import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { RhizomeError } from '../errors.ts'
import { DEFAULT_IDENTITY, exportIdentity, importIdentity, loadIdentities } from '../node/identity.ts'
import type { Call } from './call.ts'
import { findDirectory } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { nearest } from '../node/nearest.ts'
import { shortPath } from './paths.ts'
import { printTable } from './table.ts'

const ACTIONS: Readonly<Record<string, (call: Call) => Promise<ExitCode>>> = {
  show,
  export: exportKey,
  import: importKey,
}

export async function identity(call: Call): Promise<ExitCode> {
  const [word = ''] = call.words
  const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined
  if (action !== undefined) return action(call)
  const guess = nearest(word, Object.keys(ACTIONS))
  throw new RhizomeError(
    'RZ_CLI_USAGE',
    `identity ${word}? There is show, export and import${guess === undefined ? '' : `: ${guess}?`}`,
  )
}

async function show(call: Call): Promise<ExitCode> {
  const { directory } = await findDirectory(call, { changes: false })
  const identities = (await loadIdentities(directory)).map(({ name, signer }) => ({ name, id: signer.id }))
  if (call.config.json) for (const each of identities) call.terminal.out(JSON.stringify(each))
  else
    printTable(
      call.terminal,
      ['name', 'id'],
      identities.map(({ name, id }) => [name, id]),
    )
  return EXIT.ok
}

async function exportKey(call: Call): Promise<ExitCode> {
  const { directory } = await findDirectory(call, { changes: false })
  const name = nameIn(call)
  const identities = await loadIdentities(directory)
  const found = identities.find((each) => each.name === name)
  if (found === undefined) {
    const names = identities.map((each) => each.name).join(', ')
    throw new RhizomeError(
      'RZ_IDENTITY_UNKNOWN',
      `there is no identity "${name}" in ${shortPath(directory)}; there is ${names}`,
    )
  }
  call.terminal.out(exportIdentity(found))
  call.terminal.err('This is a private key: whoever has it can sign as this node. Keep it where only you can read it.')
  return EXIT.ok
}

async function importKey(call: Call): Promise<ExitCode> {
  const { directory, isRunning } = await findDirectory(call, { changes: true })
  const [, file] = call.words
  if (file === undefined) throw new RhizomeError('RZ_CLI_USAGE', 'name the file with the key, or - for stdin')
  const content = file === '-' ? await text(call.stdin) : await readKeyFile(file)
  const replace = call.options['replace'] === true
  const name = nameIn(call)
  if (isRunning && name === DEFAULT_IDENTITY) {
    throw new RhizomeError(
      'RZ_STORE_LOCKED',
      `the node in ${shortPath(directory)} runs under its identity: stop it first`,
    )
  }
  const { signer } = await importIdentity(directory, content, { name, replace })
  if (call.config.json) call.terminal.out(JSON.stringify({ name, id: signer.id }))
  else call.terminal.out(`${name}  ${signer.id}`)
  if (isRunning) call.terminal.err('note: the running node knows it after a restart')
  return EXIT.ok
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new RhizomeError('RZ_CLI_INPUT', `${path} cannot be read: ${String(cause)}`, { cause })
  }
}

function nameIn({ options }: Call): string {
  return typeof options['as'] === 'string' ? options['as'] : DEFAULT_IDENTITY
}
