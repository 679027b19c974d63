/**
 * Checks requests against the JSON Schemas of their routes, with ajv. It is loaded, and each schema compiled, when the
 * first request needs it: a node that starts must listen soon, and most routes are never asked.
 */

import type { ErrorObject, ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler, FastifyServerOptions, FastifyTypeProvider } from 'fastify'
import type { XStatic } from 'typebox/schema'
import { RhizomeError } from '../errors.ts'

/** Gives handlers the types that their routes' schemas (`as const`) say. */
export interface SchemaTypes extends FastifyTypeProvider {
  readonly validator: XStatic<this['schema']>
  readonly serializer: unknown
}

type Controller = NonNullable<FastifyServerOptions['schemaController']>

type Compile = (schema: object) => ValidateFunction

export class Validation {
  #body: Compile | undefined
  #text: Compile | undefined

  /** Must have resolved before a compiled check is called. */
  async load(): Promise<void> {
    if (this.#body !== undefined) return
    const { Ajv } = await import('ajv')
    const strict = new Ajv()
    // Paths and query strings are text: their numbers and switches are read from it.
    const coercing = new Ajv({ coerceTypes: true })
    this.#body = (schema) => strict.compile(schema)
    this.#text = (schema) => coercing.compile(schema)
  }

  /** For fastify's `schemaController`: given these, it loads none of its own. Answers are plain JSON of our making. */
  get controller(): Controller {
    const factory = { buildValidator: () => this.#compile, buildSerializer: () => () => JSON.stringify }
    // Fastify types a compiler as what ajv makes, and calls it as what `setValidatorCompiler` takes.
    return { compilersFactory: factory as unknown as NonNullable<Controller['compilersFactory']> }
  }

  readonly #compile: FastifySchemaCompiler<object> = ({ schema, httpPart }) => {
    let check: ValidateFunction | undefined
    return (value: unknown) => {
      check ??= (httpPart === 'body' ? this.#body : this.#text)?.(schema)
      if (check?.(value) === true) return { value }
      return { error: new RhizomeError('RZ_HTTP_INPUT', sentence(httpPart ?? 'request', check?.errors ?? [])) }
    }
  }
}

function sentence(part: string, errors: readonly ErrorObject[]): string {
  const [first] = errors
  if (first === undefined) return `the ${part} is not what this route takes`
  const where = first.instancePath === '' ? `the ${part}` : `${part}${first.instancePath}`
  return `${where} ${complaint(first)}`
}

/** Ajv's words are those of JSON Schema; these are for one who reads an answer. */
function complaint({ keyword, params, message = 'is not allowed' }: ErrorObject): string {
  const { additionalProperty, missingProperty, limit, type } = params as Readonly<Record<string, unknown>>
  switch (keyword) {
    case 'additionalProperties':
      return `takes no "${String(additionalProperty)}"`
    case 'required':
      return `lacks "${String(missingProperty)}"`
    case 'minProperties':
    case 'minItems':
      return limit === 1 ? 'is empty' : `has fewer than ${String(limit)} members`
    case 'minLength':
      return limit === 1 ? 'is empty' : `has fewer than ${String(limit)} characters`
    case 'type':
      return `must be of type ${[type].flat().join(' or ')}`
    default:
      return message
  }
}
