/** Token buckets by sender: so many messages at once, and so many more each second. Bounded; time is passed in. */

interface Bucket {
  tokens: number
  atMs: number
}

export class Buckets {
  readonly #burst: number
  readonly #perSecond: number
  readonly #countMax: number
  readonly #buckets = new Map<string, Bucket>()

  constructor({ burst, perSecond, countMax }: { burst: number; perSecond: number; countMax: number }) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#countMax = countMax
  }

  /** Answers false when the sender has used up what it may. */
  take(sender: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(sender) ?? this.#add(sender, nowMs)
    const earned = (Math.max(0, nowMs - bucket.atMs) * this.#perSecond) / 1_000
    bucket.tokens = Math.min(this.#burst, bucket.tokens + earned)
    bucket.atMs = nowMs
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  /** Beyond the limit the sender known for longest is forgotten, and may send a burst again. */
  #add(sender: string, nowMs: number): Bucket {
    const [first] = this.#buckets.keys()
    if (this.#buckets.size >= this.#countMax && first !== undefined) this.#buckets.delete(first)
    const bucket = { tokens: this.#burst, atMs: nowMs }
    this.#buckets.set(sender, bucket)
    return bucket
  }
}
