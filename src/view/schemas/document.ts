/**
 * A JSON Schema as one document: a copy of what was handed in, what its `$id`s and anchors name, and the compiled form of
 * each schema in it. A `$ref` leads within the document: nothing is ever fetched. Core, 8 and 9.
 */

import type { Value } from '../../delta/delta.ts'
import { isList } from '../../delta/value.ts'
import { RhizomeError } from '../../errors.ts'
import { objectOf } from './content.ts'
import { KEYWORDS, LAST_KEYWORDS, PARTS } from './keywords/keywords.ts'
import { invalidSchema, shown } from './keywords/written.ts'
import { PATTERNS_STEPS_MAX } from './limits.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import type { Compiling, Fields, Resource, Scope, Subschema } from './subschema.ts'

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'
/** What relative `$id`s and `$ref`s are relative to. */
const BASE = 'schema://record/'

interface OpenResource extends Resource {
  readonly anchors: Map<string, Value>
  readonly dynamicAnchors: Map<string, Value>
}

interface Site {
  readonly resource: OpenResource
  readonly at: string
}

/** Compiles a checked copy. Throws RZ_SCHEMA_INVALID, RZ_SCHEMA_REF, RZ_SCHEMA_PATTERN. */
export function compileDocument(root: Value): { readonly schema: Subschema; readonly evaluates: boolean } {
  const document = new Document(root)
  return { schema: document.compile(), evaluates: document.evaluates }
}

class Document {
  /** Some schema asks what others have dealt with: only then is it kept. */
  evaluates = false
  readonly #root: Value
  readonly #resources = new Map<string, OpenResource>()
  /** Of each schema that is an object, where it stands. */
  readonly #sites = new Map<Value, Site>()
  readonly #compiled = new Map<Value, Subschema>()
  readonly #patterns = new Map<string, Pattern>()
  readonly #open: (() => void)[] = []
  #patternSteps = 0

  constructor(root: Value) {
    this.#root = root
    const resource = resourceOf(BASE, root)
    this.#resources.set(BASE, resource)
    this.#survey(root, { resource, at: '' })
  }

  compile(): Subschema {
    const { resource } = this.#sites.get(this.#root) ?? { resource: resourceOf(BASE, this.#root) }
    const schema = this.#schemaAt(this.#root, { resource, at: '' })
    // The list grows while it is walked: what is referred to is compiled once, wherever it is.
    for (const step of this.#open) step()
    return schema
  }

  /** Notes where schemas, their `$id`s and anchors are. */
  #survey(schema: Value, site: Site): void {
    const fields = fieldsAt(schema, site.at)
    if (fields === undefined || this.#sites.has(schema)) return
    const here = this.#resourceAt(schema, fields, site)
    this.#sites.set(schema, { resource: here, at: site.at })
    this.#noteAnchors(schema, fields, { resource: here, at: site.at })
    if (fields['unevaluatedProperties'] !== undefined || fields['unevaluatedItems'] !== undefined) this.evaluates = true
    for (const [keyword, kind] of PARTS) {
      const written = Object.hasOwn(fields, keyword) ? fields[keyword] : undefined
      if (written === undefined) continue
      const at = `${site.at}/${keyword}`
      if (kind === 'one') this.#survey(written, { resource: here, at })
      else
        for (const [key, part] of partsIn(written, kind, at)) this.#survey(part, { resource: here, at: `${at}/${key}` })
    }
  }

  #resourceAt(schema: Value, fields: Fields, { resource, at }: Site): OpenResource {
    const dialect = fields['$schema']
    if (dialect !== undefined && (typeof dialect !== 'string' || dialect.replace(/#$/, '') !== DIALECT)) {
      throw invalidSchema(at, `"$schema" is "${DIALECT}", the one that is read here`)
    }
    const id = fields['$id']
    if (id === undefined) return resource
    if (typeof id !== 'string' || /#./s.test(id)) throw invalidSchema(at, '"$id" is a URI without a fragment')
    const uri = resolveUri(id, resource.uri)?.replace(/#$/, '')
    if (uri === undefined) throw invalidSchema(at, '"$id" is no URI')
    if (this.#resources.has(uri)) throw invalidSchema(at, `two schemas have the "$id" ${shown(uri)}`)
    const own = resourceOf(uri, schema)
    this.#resources.set(uri, own)
    return own
  }

  #noteAnchors(schema: Value, fields: Fields, { resource, at }: Site): void {
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const name = fields[keyword]
      if (name === undefined) continue
      if (typeof name !== 'string' || !/^[A-Za-z_][-A-Za-z0-9._]*$/.test(name)) {
        throw invalidSchema(at, `"${keyword}" is a name of letters, digits, "-", "_" and "."`)
      }
      const known = resource.anchors.get(name)
      if (known !== undefined && known !== schema) throw invalidSchema(at, `there are two anchors ${shown(name)}`)
      resource.anchors.set(name, schema)
      if (keyword === '$dynamicAnchor') resource.dynamicAnchors.set(name, schema)
    }
  }

  /** Its checks come when `compile` gets there. */
  #schemaAt(schema: Value, site: Site): Subschema {
    if (typeof schema === 'boolean') {
      return { resource: site.resource, checks: schema ? [] : [never], lastChecks: [] }
    }
    const known = this.#compiled.get(schema)
    if (known !== undefined) return known
    const fields = fieldsAt(schema, site.at)
    // Where no keyword is known to hold schemas, one may be referred to all the same.
    if (!this.#sites.has(schema)) this.#survey(schema, site)
    const { resource, at } = this.#sites.get(schema) ?? site
    const compiled: Subschema = { resource, checks: [], lastChecks: [] }
    this.#compiled.set(schema, compiled)
    this.#open.push(() => this.#fill(compiled, fields ?? {}, { resource, at }))
    return compiled
  }

  #fill({ checks, lastChecks }: Subschema, fields: Fields, { resource, at }: Site): void {
    const compiling: Compiling = {
      at,
      resource,
      evaluates: this.evaluates,
      part: (...keys) => {
        let part: Value = fields
        for (const key of keys) part = (part as { readonly [key: string | number]: Value })[key] ?? null
        return this.#schemaAt(part, { resource, at: `${at}/${keys.join('/')}` })
      },
      target: (reference) => this.#target(reference, resource, at).schema,
      dynamicTarget: (reference) => this.#dynamicTarget(reference, resource, at),
      pattern: (source) => this.#pattern(source).isIn,
    }
    checks.push(...KEYWORDS.flatMap((keyword) => keyword(fields, compiling) ?? []))
    lastChecks.push(...LAST_KEYWORDS.flatMap((keyword) => keyword(fields, compiling) ?? []))
  }

  #pattern(source: string): Pattern {
    const known = this.#patterns.get(source)
    if (known !== undefined) return known
    const pattern = compilePattern(source)
    this.#patternSteps += pattern.stepsCount
    if (this.#patternSteps > PATTERNS_STEPS_MAX) {
      const message = `the patterns of a schema have at most ${PATTERNS_STEPS_MAX} steps together: shorten them`
      throw new RhizomeError('RZ_SCHEMA_PATTERN', message)
    }
    this.#patterns.set(source, pattern)
    return pattern
  }

  #target(reference: string, from: Resource, at: string): { readonly schema: Subschema; readonly written: Value } {
    const uri = resolveUri(reference, from.uri)
    const [base = '', fragment = ''] = uri?.split('#', 2) ?? []
    const resource = this.#resources.get(base)
    if (uri === undefined || resource === undefined) {
      const why = 'a schema is one document, and nothing is fetched: put what it refers to under "$defs"'
      throw new RhizomeError('RZ_SCHEMA_REF', `"$ref" ${shown(reference)} at "${at}" leads elsewhere: ${why}`)
    }
    const name = decode(fragment)
    const found =
      name === undefined
        ? undefined
        : name === '' || name.startsWith('/')
          ? this.#pointed(resource, name)
          : within(resource, resource.anchors.get(name))
    if (found !== undefined) return { schema: this.#schemaAt(found.written, found.site), written: found.written }
    throw new RhizomeError('RZ_SCHEMA_REF', `"$ref" ${shown(reference)} at "${at}" leads nowhere`)
  }

  #pointed(resource: OpenResource, pointer: string): { readonly written: Value; readonly site: Site } | undefined {
    let written: Value = resource.root
    let site: Site = this.#sites.get(resource.root) ?? { resource, at: '' }
    for (const escaped of pointer.split('/').slice(1)) {
      const key = escaped.replaceAll('~1', '/').replaceAll('~0', '~')
      if (typeof written !== 'object' || written === null || !Object.hasOwn(written, key)) return undefined
      written = (written as { readonly [key: string]: Value })[key] as Value
      site = this.#sites.get(written) ?? { resource: site.resource, at: `${site.at}/${key}` }
    }
    return { written, site }
  }

  /** The outermost schema on the way here that has the anchor, if the one that it names at first is such an anchor. */
  #dynamicTarget(
    reference: string,
    from: Resource,
    at: string,
  ): (scope: Scope, run: { spend(units: number): void }) => Subschema {
    const first = this.#target(reference, from, at)
    const name = decode(resolveUri(reference, from.uri)?.split('#', 2)[1] ?? '') ?? ''
    const isDynamic = [...this.#resources.values()].some(
      ({ dynamicAnchors }) => dynamicAnchors.get(name) === first.written && first.written !== undefined,
    )
    if (!isDynamic) return () => first.schema
    const byResource = new Map<Resource, Subschema>()
    for (const resource of this.#resources.values()) {
      const written = resource.dynamicAnchors.get(name)
      if (written !== undefined) byResource.set(resource, this.#schemaAt(written, { resource, at }))
    }
    return (scope, run) => {
      let found = first.schema
      for (let way: Scope | undefined = scope; way !== undefined; way = way.outer) {
        run.spend(1)
        found = byResource.get(way.resource) ?? found
      }
      return found
    }
  }
}

const never: Subschema['checks'][number] = (_value, { path }, run) => run.fail(path, 'false', 'is not allowed here')

function resourceOf(uri: string, root: Value): OpenResource {
  return { uri, root, anchors: new Map(), dynamicAnchors: new Map() }
}

function within(
  resource: OpenResource,
  written: Value | undefined,
): { readonly written: Value; readonly site: Site } | undefined {
  return written === undefined ? undefined : { written, site: { resource, at: '' } }
}

/** The keywords of a schema; undefined for true and false. Throws RZ_SCHEMA_INVALID for what is no schema. */
function fieldsAt(schema: Value, at: string): Fields | undefined {
  if (typeof schema === 'boolean') return undefined
  const fields = objectOf(schema)
  if (fields !== undefined) return fields
  throw invalidSchema(at, 'there is to be a schema: an object, true or false')
}

function partsIn(written: Value, kind: 'list' | 'map', at: string): readonly (readonly [string, Value])[] {
  if (kind === 'list' && isList(written)) return written.map((part, index) => [String(index), part])
  const map = kind === 'map' ? objectOf(written) : undefined
  if (map !== undefined) return Object.entries(map)
  throw invalidSchema(at, kind === 'list' ? 'there is to be a list of schemas' : 'there is to be an object of schemas')
}

function resolveUri(reference: string, base: string): string | undefined {
  return URL.parse(reference, base)?.href
}

/** Undefined for text whose percent signs make no sense. */
function decode(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return undefined
  }
}
