/**
 * Reads what a TypeScript module refers to and what it does that the house cares about, from its syntax tree.
 * Knows nothing of rooms; `house.ts` judges.
 */
import { parseSync, Visitor } from 'oxc-parser'

/** One mention of another module: static, type-only, re-exported, dynamic, in a type, or by URL (a worker's file). */
export interface Reference {
  readonly specifier: string
  readonly line: number
  readonly typeOnly: boolean
}

/** A thing the module does, in the words of the house's rules. */
export type Deed = 'default export' | 'export *' | 're-export' | 'clock' | 'randomness' | 'async'

export interface Module {
  readonly references: readonly Reference[]
  readonly deeds: readonly { readonly deed: Deed; readonly line: number }[]
}

/** Where time and chance enter from the globals: by `object.member`, or called by name. */
const GLOBALS: ReadonlyMap<string, Deed> = new Map([
  ['Date.now', 'clock'],
  ['performance.now', 'clock'],
  ['process.hrtime', 'clock'],
  ['AbortSignal.timeout', 'clock'],
  ['setTimeout', 'clock'],
  ['setInterval', 'clock'],
  ['setImmediate', 'clock'],
  ['Math.random', 'randomness'],
  ['crypto.getRandomValues', 'randomness'],
  ['crypto.randomUUID', 'randomness'],
])

/** Names that draw randomness when imported from `node:crypto`. */
const RANDOM_IMPORTS = /^(random|getRandom|generate|webcrypto$)/

/** Throws when `source` does not parse. */
export function readModule(path: string, source: string): Module {
  const { program, errors } = parseSync(path, source)
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`)

  const references: Reference[] = []
  const deeds: { deed: Deed; line: number }[] = []
  const imported = new Set<string>()
  const lineAt = (offset: number) => source.slice(0, offset).split('\n').length
  const refer = (specifier: string, offset: number, typeOnly: boolean) =>
    references.push({ specifier, line: lineAt(offset), typeOnly })
  const does = (deed: Deed, offset: number) => deeds.push({ deed, line: lineAt(offset) })
  const uses = (name: string, offset: number) => {
    const deed = GLOBALS.get(name)
    if (deed !== undefined) does(deed, offset)
  }

  new Visitor({
    ImportDeclaration(node) {
      const allTypes =
        node.specifiers.length > 0 && node.specifiers.every((one) => 'importKind' in one && one.importKind === 'type')
      refer(node.source.value, node.start, node.importKind === 'type' || allTypes)
      for (const specifier of node.specifiers) imported.add(specifier.local.name)
      if (node.source.value !== 'node:crypto') return
      for (const specifier of node.specifiers) {
        const name = 'imported' in specifier && 'name' in specifier.imported ? specifier.imported.name : '*'
        if (name === '*' || RANDOM_IMPORTS.test(name)) does('randomness', specifier.start)
      }
    },
    ExportNamedDeclaration(node) {
      if (node.source !== null) {
        const allTypes = node.specifiers.every((one) => one.exportKind === 'type')
        refer(node.source.value, node.start, node.exportKind === 'type' || allTypes)
        does('re-export', node.start)
      }
    },
    'Program:exit'(node) {
      for (const statement of node.body) {
        if (statement.type !== 'ExportNamedDeclaration' || statement.source !== null) continue
        const passedOn = statement.specifiers.some((one) => 'name' in one.local && imported.has(one.local.name))
        if (passedOn) does('re-export', statement.start)
      }
    },
    ExportAllDeclaration(node) {
      refer(node.source.value, node.start, node.exportKind === 'type')
      does('export *', node.start)
    },
    ExportDefaultDeclaration(node) {
      does('default export', node.start)
    },
    ExportSpecifier(node) {
      if ('name' in node.exported && node.exported.name === 'default') does('default export', node.start)
    },
    ImportExpression(node) {
      const specifier = literal(node.source)
      refer(specifier ?? '(computed)', node.start, false)
    },
    TSImportType(node) {
      refer(node.source.value, node.start, true)
    },
    NewExpression(node) {
      if (node.callee.type !== 'Identifier') return
      if (node.callee.name === 'Date' && node.arguments.length === 0) does('clock', node.start)
      const specifier = literal(node.arguments[0])
      if (node.callee.name === 'URL' && specifier !== undefined && /^\.{1,2}\/.*\.[cm]?[jt]s$/.test(specifier)) {
        refer(specifier, node.start, false)
      }
    },
    CallExpression(node) {
      if (node.callee.type === 'Identifier') uses(node.callee.name, node.start)
    },
    MemberExpression(node) {
      if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return
      uses(`${node.object.name}.${node.property.name}`, node.start)
    },
    FunctionDeclaration(node) {
      if (node.async) does('async', node.start)
    },
    FunctionExpression(node) {
      if (node.async) does('async', node.start)
    },
    ArrowFunctionExpression(node) {
      if (node.async) does('async', node.start)
    },
    AwaitExpression(node) {
      does('async', node.start)
    },
  }).visit(program)

  return { references, deeds }
}

function literal(node: unknown): string | undefined {
  const isString =
    typeof node === 'object' && node !== null && 'type' in node && node.type === 'Literal' && 'value' in node
  return isString && typeof node.value === 'string' ? node.value : undefined
}
