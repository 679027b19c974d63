/**
 * TypeScript types of what satisfies a JSON Schema that is known when the program is compiled: its common part, `unknown` for
 * the rest. Types alone: nothing of this is there at run time.
 */

/** What a schema may be: `as const`, or written where it is used. */
export type JsonSchemaInput = boolean | { readonly [keyword: string]: unknown }

/** The type of what satisfies `Schema`. `$ref`s of the form `#/$defs/<name>` are followed in `Root`. */
export type FromSchema<Schema, Root = Schema> = Schema extends true
  ? unknown
  : Schema extends false
    ? never
    : Schema extends { readonly const: infer Constant }
      ? Constant
      : Schema extends { readonly enum: readonly (infer Item)[] }
        ? Item
        : Schema extends { readonly $ref: `#/$defs/${infer Name}` }
          ? FromDefinition<Name, Root>
          : Schema extends { readonly anyOf: readonly (infer Part)[] }
            ? Narrowed<Schema, FromSchema<Part, Root>, Root>
            : Schema extends { readonly oneOf: readonly (infer Part)[] }
              ? Narrowed<Schema, FromSchema<Part, Root>, Root>
              : Schema extends { readonly allOf: readonly (infer Part)[] }
                ? Narrowed<Schema, Intersected<BoxedEach<Part, Root>>, Root>
                : FromType<Schema, Root>

/** A schema's own type and that of the schemas that it combines: what is said beside `anyOf` holds as well. */
type Narrowed<Schema, Combined, Root> =
  unknown extends FromType<Schema, Root> ? Combined : FromType<Schema, Root> & Combined

type FromDefinition<Name extends string, Root> = Root extends {
  readonly $defs: { readonly [name in Name]: infer Schema }
}
  ? FromSchema<Schema, Root>
  : unknown

/** In a function's argument, so that the members of a union come together as an intersection. */
type Boxed<Type> = (box: Type) => void
type BoxedEach<Part, Root> = Part extends unknown ? Boxed<FromSchema<Part, Root>> : never
type Intersected<Boxes> = [Boxes] extends [never] ? unknown : [Boxes] extends [Boxed<infer Type>] ? Type : never

type FromType<Schema, Root> = Schema extends { readonly type: readonly (infer Name)[] }
  ? Name extends string
    ? FromTypeName<Name, Schema, Root>
    : never
  : Schema extends { readonly type: infer Name extends string }
    ? FromTypeName<Name, Schema, Root>
    : Schema extends { readonly properties: object }
      ? FromObject<Schema, Root>
      : unknown

type FromTypeName<Name extends string, Schema, Root> = Name extends 'string'
  ? string
  : Name extends 'number' | 'integer'
    ? number
    : Name extends 'boolean'
      ? boolean
      : Name extends 'null'
        ? null
        : Name extends 'bytes'
          ? Uint8Array
          : Name extends 'array'
            ? FromList<Schema, Root>
            : Name extends 'object'
              ? FromObject<Schema, Root>
              : unknown

type FromList<Schema, Root> = Schema extends { readonly prefixItems: infer Prefix extends readonly unknown[] }
  ? readonly [...{ readonly [Index in keyof Prefix]: FromSchema<Prefix[Index], Root> }, ...FromRest<Schema, Root>]
  : FromRest<Schema, Root>

type FromRest<Schema, Root> = Schema extends { readonly items: infer Item }
  ? Item extends false
    ? readonly []
    : readonly FromSchema<Item, Root>[]
  : readonly unknown[]

type FromObject<Schema, Root> = Schema extends { readonly properties: infer Properties }
  ? Flat<
      {
        readonly [Name in keyof Properties as Name extends Required<Schema> ? Name : never]: FromSchema<
          Properties[Name],
          Root
        >
      } & {
        readonly [Name in keyof Properties as Name extends Required<Schema> ? never : Name]?: FromSchema<
          Properties[Name],
          Root
        >
      }
    >
  : Schema extends { readonly additionalProperties: infer Others extends object }
    ? { readonly [name: string]: FromSchema<Others, Root> }
    : { readonly [name: string]: unknown }

type Required<Schema> = Schema extends { readonly required: readonly (infer Name)[] } ? Name : never

/** One object type instead of an intersection of two. */
type Flat<Type> = { readonly [Name in keyof Type]: Type[Name] }
