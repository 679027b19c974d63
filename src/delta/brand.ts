/** Nominal types over plain strings and bytes: only the parser or maker of a format hands them out. */

declare const brand: unique symbol

export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }
