/** A part of libp2p with some of its methods replaced, for what takes such a part and should see another. */

/** The same object otherwise: what it changes is changed in the original. */
export function replacing<Target extends object>(target: Target, methods: Partial<Target>): Target {
  return new Proxy(target, {
    get(of, key) {
      const replaced: unknown = Reflect.get(methods, key)
      if (replaced !== undefined) return replaced
      const value: unknown = Reflect.get(of, key, of)
      return typeof value === 'function' ? (value.bind(of) as unknown) : value
    },
  })
}
