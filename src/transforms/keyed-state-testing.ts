/** Keyed state in memory, for tests of steps: a plain map that can be stopped and started from its bytes. */
import assert from 'node:assert/strict'
import type { KeyedState, StateForm } from './keyed-state.ts'

export class MemoryKeyedState<Value> implements KeyedState<Value> {
  readonly #form: StateForm<Value>
  readonly #values = new Map<string, Value>()
  readonly #loaded = new Set<string>()
  scans = 0

  constructor(form: StateForm<Value>) {
    this.#form = form
  }

  get size(): number {
    return this.#values.size
  }

  async load(keys: Iterable<string>): Promise<void> {
    this.#loaded.clear()
    for (const key of keys) this.#loaded.add(key)
  }

  get(key: string): Value | undefined {
    assert.ok(this.#loaded.has(key), `${key} was not loaded`)
    return this.#values.get(key)
  }

  set(key: string, value: Value): void {
    this.#loaded.add(key)
    this.#values.set(key, value)
  }

  delete(key: string): void {
    this.#loaded.add(key)
    this.#values.delete(key)
  }

  async scan(
    from: string,
    to: string,
    limit: number,
  ): Promise<readonly (readonly [string, Value])[]> {
    this.scans++
    const [first, behind] = [Buffer.from(from), Buffer.from(to)]
    const found = [...this.#values]
      .map(([key, value]) => ({ key, value, bytes: Buffer.from(key) }))
      .filter(({ bytes }) => bytes.compare(first) >= 0 && bytes.compare(behind) < 0)
      .sort((one, other) => one.bytes.compare(other.bytes))
      .slice(0, limit)
    for (const { key } of found) this.#loaded.add(key)
    return found.map(({ key, value }) => [key, value] as const)
  }

  /** What another process would begin with. */
  restarted(form: StateForm<Value> = this.#form): MemoryKeyedState<Value> {
    const copy = new MemoryKeyedState(form)
    for (const [key, value] of this.#values) {
      copy.#values.set(key, form.decode(Buffer.from(this.#form.encode(value))))
    }
    return copy
  }
}
