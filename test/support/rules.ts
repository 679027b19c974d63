/** Small random rules with data that they look into, for laws that hold for all of them. */

import fc from 'fast-check'
import type { Value } from '../../src/delta/delta.ts'

const texts = fc.constantFrom(
  '',
  '0',
  '1',
  '-2',
  '3.5',
  ' 4 ',
  '1e3',
  'a',
  'ab',
  'b',
  'é',
  'true',
  'null',
  '5 apples',
  '0x1f',
)
const numbers = fc.constantFrom(0, 1, 2, -1, -3, 0.5, 10, 1e21, 2 ** 53)
const scalars: fc.Arbitrary<Value> = fc.oneof(fc.constantFrom(null, true, false), numbers, texts)

const PLAIN_OBJECTS = { noNullPrototype: true } as const

const data: fc.Arbitrary<Value> = fc.record(
  {
    a: scalars,
    b: scalars,
    list: fc.array(scalars, { maxLength: 6 }),
    rows: fc.array(fc.record({ n: numbers, t: texts, by: fc.constantFrom('x', 'y') }, PLAIN_OBJECTS), { maxLength: 5 }),
  },
  PLAIN_OBJECTS,
)

const paths = fc.constantFrom(
  '',
  'a',
  'b',
  'list',
  'list.0',
  'list.length',
  'rows',
  'rows.0.n',
  'rows.1.t',
  'n',
  't',
  'by',
  'gone',
  'a.0',
)
const lists = fc.constantFrom({ var: 'list' }, { var: 'rows' }, { var: 'gone' }, { var: '' }, [1, 2, '3'])

const PLAIN = [
  '==',
  '!=',
  '===',
  '!==',
  '<',
  '<=',
  '>',
  '>=',
  '+',
  '*',
  '-',
  '/',
  '%',
  'max',
  'min',
  'cat',
  'and',
  'or',
  'if',
  '?:',
  'merge',
]
const BEYOND = ['same', 'length', 'at', 'type', 'join']

/** Rules of JSON-Logic alone, or with our own operators beside. */
function rules(beyond: boolean): fc.Arbitrary<unknown> {
  return fc.letrec<{ rule: unknown }>((tie) => {
    const rule = tie('rule')
    const several = fc.array(rule, { minLength: 1, maxLength: 3 })
    const scoped = ['map', 'filter', 'all', 'none', 'some', ...(beyond ? ['sort', 'distinct', 'group'] : [])]
    return {
      rule: fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        scalars,
        paths.map((path) => ({ var: path })),
        fc.tuple(paths, scalars).map((pair) => ({ var: pair })),
        fc
          .tuple(fc.constantFrom(...PLAIN, ...(beyond ? BEYOND : [])), several)
          .map(([name, parts]) => ({ [name]: parts })),
        fc
          .tuple(fc.constantFrom('!', '!!', ...(beyond ? ['log'] : [])), rule)
          .map(([name, part]) => ({ [name]: [part] })),
        fc
          .tuple(fc.constantFrom(...scoped), fc.oneof(lists, rule), rule)
          .map(([name, ...parts]) => ({ [name]: parts })),
        fc.tuple(fc.oneof(lists, rule), rule, scalars).map((parts) => ({ reduce: parts })),
        fc.tuple(rule, lists).map((parts) => ({ in: parts })),
        fc.tuple(rule, texts).map((parts) => ({ in: parts })),
        fc
          .tuple(rule, fc.integer({ min: -4, max: 4 }), fc.integer({ min: -4, max: 4 }))
          .map((parts) => ({ substr: parts })),
        fc.array(paths, { maxLength: 3 }).map((keys) => ({ missing: keys })),
        fc.tuple(numbers, fc.array(paths, { maxLength: 3 })).map((parts) => ({ missing_some: parts })),
        fc.array(rule, { maxLength: 3 }),
      ),
    }
  }).rule
}

/** JSON-Logic as json-logic-js knows it. */
export const plainRulesWithData = fc.tuple(rules(false), data)

/** With our own operators. */
export const rulesWithData = fc.tuple(rules(true), data)
