/** Statements as they are written, each part with its place in the line. Parsed by parse.ts, compiled by compile.ts. */

import type { Json } from '../delta/json.ts'

export interface Placed<What> {
  readonly what: What
  /** UTF-16 units of the line before it. */
  readonly at: number
}

export interface SourceSyntax {
  readonly container: Placed<string>
  readonly alias?: Placed<string>
  /** The column that holds the id of the record's entity, which is what references hold. */
  readonly entity?: Placed<string>
}

export interface JoinSyntax {
  readonly kind: 'inner' | 'left' | 'semi' | 'anti'
  readonly source: SourceSyntax
  readonly on: readonly (readonly [Placed<string>, Placed<string>])[]
}

export interface ColumnSyntax {
  readonly path: Placed<string>
  readonly name?: Placed<string>
}

export interface SelectSyntax {
  readonly kind: 'select'
  /** Absent: all of them. */
  readonly columns?: readonly ColumnSyntax[]
  readonly source: SourceSyntax
  readonly joins: readonly JoinSyntax[]
  readonly where?: Placed<Json>
  readonly order: readonly { readonly path: Placed<string>; readonly descending: boolean }[]
  readonly limit?: number
}

export type StatementSyntax =
  | SelectSyntax
  | {
      readonly kind: 'insert'
      readonly value: Placed<Json>
      readonly container: Placed<string>
      readonly id?: Placed<string>
    }
  | { readonly kind: 'delete'; readonly container: Placed<string>; readonly where?: Placed<Json> }
  | { readonly kind: 'delete record'; readonly record: Placed<string> }
  | { readonly kind: 'query'; readonly json: Placed<Json> }
  | { readonly kind: 'use'; readonly topic: Placed<string> }
  | { readonly kind: 'tags' | 'peers' | 'topics' }
