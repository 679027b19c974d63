/**
 * The rule language once more, as plainly as it can be said: one recursive function over the JSON of a rule, without
 * limits, and with gas counted so roughly that it tells costly rules from cheap ones, and no more. Imports nothing of src; it is what the real one is held against. Where JavaScript says what
 * JSON-Logic means (coercions, `parseFloat`, `String`), JavaScript is asked.
 */

type Json = unknown
type Scope = Json

/** What a rule may ask for beside its data. */
export interface NaiveWorld {
  readonly property?: (name: string) => Json
  /** Told of gas before it is used; throws to end the rule. */
  readonly spend?: (gas: number) => void
}

export function naiveRule(rule: Json, data: Scope, world: NaiveWorld = {}): Json {
  return forJson(evaluate(rule, data, world))
}

function evaluate(rule: Json, data: Scope, world: NaiveWorld): Json {
  if (Array.isArray(rule)) {
    world.spend?.(rule.length)
    return rule.map((item) => evaluate(item, data, world) ?? null)
  }
  if (!isObject(rule) || Object.keys(rule).length !== 1) return rule
  world.spend?.(1)
  const name = Object.keys(rule)[0] ?? ''
  const written = (rule as Record<string, Json>)[name]
  const parts = Array.isArray(written) ? written : [written]
  const each = (part: Json, scope: Scope) => evaluate(part, scope, world)
  const [first, second, third] = parts

  switch (name) {
    case 'if':
    case '?:': {
      if (parts.length < 2) return parts.length === 0 ? null : each(first, data)
      return truthy(each(first, data)) ? each(second, data) : each({ if: parts.slice(2) }, data)
    }
    case 'and':
    case 'or': {
      const values = parts.map((part) => each(part, data))
      const index = values.findIndex((value) => truthy(value) === (name === 'or'))
      return values.at(index) ?? null
    }
    case 'map':
      return listOf(each(first, data)).map((item) => each(second, item) ?? null)
    case 'filter':
      return listOf(each(first, data)).filter((item) => truthy(each(second, item)))
    case 'all':
      return (
        listOf(each(first, data)).length > 0 && listOf(each(first, data)).every((item) => truthy(each(second, item)))
      )
    case 'none':
      return !listOf(each(first, data)).some((item) => truthy(each(second, item)))
    case 'some':
      return listOf(each(first, data)).some((item) => truthy(each(second, item)))
    case 'reduce':
      return listOf(each(first, data)).reduce(
        (accumulator: Json, current: Json) => each(second, { current, accumulator }) ?? null,
        each(third, data) ?? null,
      )
    case 'sort': {
      const keyed = keyedBy(each(first, data), (item) => (parts.length > 1 ? each(second, item) : item))
      return keyed.sort((a, b) => compareAny(a.key, b.key)).map(({ item }) => item)
    }
    case 'distinct': {
      const keyed = keyedBy(each(first, data), (item) => (parts.length > 1 ? each(second, item) : item))
      return keyed
        .filter(({ key }, index) => keyed.findIndex((other) => compareAny(other.key, key) === 0) === index)
        .map(({ item }) => item)
    }
    case 'group': {
      const keyed = keyedBy(each(first, data), (item) => (parts.length > 1 ? each(second, item) : item))
      return keyed
        .filter(({ key }, index) => keyed.findLastIndex((other) => compareAny(other.key, key) === 0) === index)
        .map(({ key }) => keyed.filter((other) => compareAny(other.key, key) === 0))
        .map((items) => ({ key: items[0]?.key, items: items.map(({ item }) => item) }))
    }
    case 'property':
      return world.property?.(String(first)) ?? (parts.length > 1 ? each(second, data) : undefined) ?? null
    default:
      return apply(
        name,
        parts.map((part) => each(part, data)),
        data,
      )
  }
}

/** Operators that need no more than the values of their arguments. */
function apply(name: string, values: readonly Json[], data: Scope): Json {
  const [a, b, c] = values
  switch (name) {
    case 'var':
      return lookUp(a, data) ?? (lookUp(a, data) === null ? null : (b ?? null))
    case 'missing':
      return missing(Array.isArray(a) ? a : values, data)
    case 'missing_some': {
      const keys = Array.isArray(b) ? b : b === undefined ? [] : [b]
      return keys.length - missing(keys, data).length >= number(a) ? [] : missing(keys, data)
    }
    case '!':
      return !truthy(a)
    case '!!':
      return truthy(a)
    case '==':
      return loose(a, b)
    case '!=':
      return !loose(a, b)
    case '===':
      return strict(a, b)
    case '!==':
      return !strict(a, b)
    case '<':
      return less(a, b) && (c === undefined || less(b, c))
    case '<=':
      return lessOrEqual(a, b) && (c === undefined || lessOrEqual(b, c))
    case '>':
      return less(b, a)
    case '>=':
      return lessOrEqual(b, a)
    case '+':
      return values.reduce<number>((sum, value) => sum + Number.parseFloat(text(value)), 0)
    case '*':
      return values.length === 1
        ? a
        : values.reduce<number>((sum, value) => sum * Number.parseFloat(text(value)), 1) + 0
    case '-':
      return b === undefined ? 0 - number(a) : number(a) - number(b)
    case '/':
      return number(a) / number(b) + 0
    case '%':
      return (number(a) % number(b)) + 0
    case 'max':
      return Math.max(...values.map(number))
    case 'min':
      return Math.min(...values.map(number))
    case 'merge':
      return values.flat()
    case 'in':
      if (typeof b === 'string') return b !== '' && b.includes(text(a))
      return Array.isArray(b) && b.some((item) => strict(a, item))
    case 'cat':
      return values.map((value) => (value === null || value === undefined ? '' : text(value))).join('')
    case 'substr': {
      const tail = text(a).slice(integer(b))
      const count = c === undefined ? Infinity : integer(c)
      return count < 0 ? tail.slice(0, Math.max(0, tail.length + count)) : tail.slice(0, count)
    }
    case 'log':
      return a ?? null
    case 'length':
      if (typeof a === 'string' || Array.isArray(a) || a instanceof Uint8Array) return a.length
      return isObject(a) ? Object.keys(a).length : 0
    case 'at':
      return (Array.isArray(a) ? a.at(Number.isInteger(number(b)) ? number(b) : Infinity) : own(a, b)) ?? c ?? null
    case 'type':
      return KINDS[kind(a)]
    case 'same':
      return compareAny(a, b) === 0
    case 'join':
      return Array.isArray(a)
        ? a.map((item) => (item === null ? '' : text(item))).join(b === undefined ? '' : text(b))
        : ''
    default:
      throw new Error(`there is no operator ${name}`)
  }
}

function lookUp(path: Json, data: Scope): Json {
  if (path === undefined || path === null || path === '') return data
  return text(path)
    .split('.')
    .reduce<Json>((value, key) => (typeof value === 'string' ? character(value, key) : own(value, key)), data)
}

function own(value: Json, key: Json): Json {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || key === undefined) return undefined
  return Object.getOwnPropertyDescriptor(value, text(key))?.value as Json
}

function character(value: string, key: string): Json {
  return Object.getOwnPropertyDescriptor(Object(value), key)?.value as Json
}

function missing(keys: readonly Json[], data: Scope): readonly Json[] {
  return keys
    .map((key) => key ?? null)
    .filter((key) => {
      const [path, otherwise] = Array.isArray(key) ? key : [key]
      return ['', null].includes((lookUp(path, data) ?? otherwise ?? null) as null)
    })
}

function truthy(value: Json): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

function text(value: Json): string {
  if (value instanceof Uint8Array || isObject(value)) return '[object Object]'
  return Array.isArray(value) ? value.map((item) => (item === null ? '' : text(item))).join(',') : String(value)
}

function plain(value: Json): Json {
  return typeof value === 'object' && value !== null ? text(value) : value
}

function number(value: Json): number {
  return Number(plain(value)) + 0
}

function integer(value: Json): number {
  return Math.trunc(number(value)) || 0
}

function loose(a: Json, b: Json): boolean {
  const composites = typeof a === 'object' && a !== null && typeof b === 'object' && b !== null
  // oxlint-disable-next-line eqeqeq -- it is what the operator means
  return !composites && ((a ?? null) === null || (b ?? null) === null ? a == b : plain(a) == plain(b))
}

function strict(a: Json, b: Json): boolean {
  return (typeof a !== 'object' || a === null) && a === b
}

function less(a: Json, b: Json): boolean {
  const [left, right] = [plain(a), plain(b)]
  if (typeof left === 'string' && typeof right === 'string') return byUtf8(left, right) < 0
  return number(left) < number(right)
}

function lessOrEqual(a: Json, b: Json): boolean {
  const [left, right] = [plain(a), plain(b)]
  if (typeof left === 'string' && typeof right === 'string') return byUtf8(left, right) <= 0
  return number(left) <= number(right)
}

function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function keyedBy(value: Json, keyOf: (item: Json) => Json): { item: Json; key: Json }[] {
  return listOf(value).map((item) => ({ item, key: keyOf(item) ?? null }))
}

const KINDS = ['null', 'boolean', 'number', 'text', 'bytes', 'list', 'object'] as const

function kind(value: Json): number {
  if (value === null || value === undefined) return 0
  if (typeof value === 'boolean') return 1
  if (typeof value === 'number') return 2
  if (typeof value === 'string') return 3
  if (value instanceof Uint8Array) return 4
  return Array.isArray(value) ? 5 : 6
}

function compareAny(a: Json, b: Json): number {
  if (kind(a) !== kind(b)) return kind(a) - kind(b)
  switch (kind(a)) {
    case 1:
      return Number(a) - Number(b)
    case 2:
      if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a))
      return (a as number) < (b as number) ? -1 : Number((a as number) > (b as number))
    case 3:
      return byUtf8(a as string, b as string)
    case 4:
      return Buffer.compare(a as Uint8Array, b as Uint8Array)
    case 5:
      return compareLists(a as Json[], b as Json[])
    case 6:
      return compareLists(sorted(a), sorted(b))
    default:
      return 0
  }
}

function compareLists(a: readonly Json[], b: readonly Json[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareAny(a[index], b[index])
    if (order !== 0) return order
  }
  return a.length - b.length
}

function sorted(object: Json): readonly Json[] {
  return Object.entries(object as Record<string, Json>).sort(([a], [b]) => byUtf8(a, b))
}

function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function isObject(value: Json): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

function forJson(value: Json): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(forJson)
  if (!isObject(value)) return value ?? null
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toWellFormed(), forJson(inner)]))
}
