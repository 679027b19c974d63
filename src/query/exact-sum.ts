/**
 * A sum of numbers that is exact until it is read, and then rounded once. So it is the same whatever the order in which
 * numbers came, and taking one away leaves what the others sum to: with floating point neither holds.
 */

/** Every finite number is a whole multiple of 2 to the power of minus this. */
const FRACTION_BITS = 1_074
const MANTISSA_BITS = 52
/** Bits that `Number(bigint)` is left to round: more than a number holds. */
const KEPT_BITS = 64

export class ExactSum {
  /** Of whole numbers, while exact. Most sums are no more than this. */
  #whole = 0
  /** The rest, in units of 2^-1074. */
  #rest = 0n

  add(number: number): void {
    const whole = this.#whole + number
    if (Number.isSafeInteger(whole) && Number.isSafeInteger(number)) this.#whole = whole
    else this.#rest += unitsIn(number)
  }

  remove(number: number): void {
    this.add(-number)
  }

  /** The nearest number; null where none is, as the sum is too large. */
  value(): number | null {
    if (this.#rest === 0n) return this.#whole
    return nearest(unitsIn(this.#whole) + this.#rest)
  }
}

const bytes = new DataView(new ArrayBuffer(8))

function unitsIn(number: number): bigint {
  bytes.setFloat64(0, number)
  const high = bytes.getUint32(0)
  const exponent = (high >>> 20) & 0x7ff
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(bytes.getUint32(4))
  const mantissa = exponent === 0 ? fraction : fraction | (1n << BigInt(MANTISSA_BITS))
  const units = mantissa << BigInt(Math.max(0, exponent - 1))
  return number < 0 ? -units : units
}

/** Rounds to the nearest, ties to even, as all of IEEE 754 does. */
function nearest(units: bigint): number | null {
  const size = units < 0n ? -units : units
  const dropped = Math.max(0, size.toString(16).length * 4 - KEPT_BITS)
  const kept = size >> BigInt(dropped)
  // A last bit for whatever was dropped keeps a tie from being taken for one.
  const isRest = kept << BigInt(dropped) !== size
  const number = scaled(Number(isRest ? kept | 1n : kept), dropped - FRACTION_BITS)
  if (!Number.isFinite(number)) return null
  return units < 0n ? -number : number
}

/** `number` times 2 to the power of `exponent`, in two steps because 2^-1074 alone is as small as numbers get. */
function scaled(number: number, exponent: number): number {
  const half = Math.trunc(exponent / 2)
  return number * 2 ** half * 2 ** (exponent - half)
}
