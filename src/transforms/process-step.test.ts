import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MemoryKeyedState } from './keyed-state-testing.ts'
import type { Entry } from './process-form.ts'
import { type At, ProcessStep } from './process-step.ts'
import type { CalledTimer } from './row-step.ts'

interface Told {
  readonly key: string
  readonly timeMs: number
  readonly does: 'nothing' | 'sets' | 'clears' | 'forgets' | 'throws'
  /** From its time on, where it sets the timer. */
  readonly byMs: number
  /** How often the timer then sets itself again, so much later, before it throws or ends. */
  readonly again: number
}

interface State {
  log: string[]
  again: number
}

const everyMs = 7
const texts = { message: ({ timeMs }: At, n: number) => `m${n}@${timeMs}`, timer: 't' }

const options = (timeToLiveMs: number) => ({
  ...{ version: 1, timeToLiveMs },
  start: () => ({ log: [], again: 0 }) as never,
  message(state: unknown, value: unknown, at: At) {
    const { log, ...rest } = state as State
    const [n, told] = value as [number, Told]
    const before = at.timerMs ?? null
    Object.assign(state as State, { ...rest, log: [...log, texts.message(at, n)] })
    if (told.does === 'sets') {
      ;(state as State).again = told.again
      at.setTimer(at.timeMs + told.byMs)
    }
    if (told.does === 'clears') at.clearTimer()
    if (told.does === 'forgets') at.forget()
    if (told.does === 'throws') throw new RangeError('refused')
    return [n, before, ...log]
  },
  timer(state: unknown, at: At) {
    const own = state as State
    const { log, again } = own
    own.log = [...log, `t@${at.timeMs}`]
    own.again--
    if (again > 0) at.setTimer(at.timeMs + everyMs)
    if (again === -1) throw new RangeError('refused')
    return [...log]
  },
})

/** By key what came out, in order, told the slow way: one message after the other, no state but lists. */
function expected(told: readonly Told[], timeToLiveMs: number): Map<string, unknown[]> {
  const out = new Map<string, unknown[]>()
  const keys = new Set(told.map(({ key }) => key))
  for (const key of keys) {
    const given: unknown[] = []
    let own = { log: [] as string[], again: 0 }
    let [dueMs, calledMs, lastMs] = [Number.NaN, -Infinity, -Infinity]
    const call = (toMs: number) => {
      while (dueMs <= toMs) {
        const atMs = dueMs
        ;[dueMs, calledMs] = [Number.NaN, atMs]
        lastMs = Math.max(lastMs, atMs)
        if (own.again === -1) {
          given.push(['error', atMs])
          continue
        }
        given.push(['timer', atMs, [...own.log]])
        if (own.again > 0) dueMs = atMs + everyMs
        own = { log: [...own.log, `t@${atMs}`], again: own.again - 1 }
      }
    }
    for (const [n, one] of told.entries()) {
      if (one.key !== key) continue
      const watermarkMs = Math.max(-Infinity, ...told.slice(0, n).map(({ timeMs }) => timeMs))
      if (one.timeMs + timeToLiveMs < watermarkMs) {
        given.push(['late', n])
        continue
      }
      call(Math.max(one.timeMs, watermarkMs))
      if (one.does === 'throws') {
        given.push(['failed', n])
        continue
      }
      const nowMs = Math.max(one.timeMs, watermarkMs)
      if (Number.isNaN(dueMs) && nowMs > lastMs + timeToLiveMs) own = { log: [], again: 0 }
      given.push(['message', [n, Number.isNaN(dueMs) ? null : dueMs, ...own.log]])
      own = { ...own, log: [...own.log, `m${n}@${one.timeMs}`] }
      lastMs = Math.max(lastMs, one.timeMs)
      if (one.does === 'sets') {
        own.again = one.again
        dueMs = Math.max(one.timeMs + one.byMs, watermarkMs, calledMs + 1)
      }
      if (one.does === 'clears') dueMs = Number.NaN
      if (one.does === 'forgets') {
        own = { log: [], again: 0 }
        ;[dueMs, lastMs] = [Number.NaN, -Infinity]
      }
      call(watermarkMs)
    }
    call(Math.max(...told.map(({ timeMs }) => timeMs)))
    if (!Number.isNaN(dueMs)) {
      own.again === -1 ? given.push(['error', dueMs]) : given.push(['timer', dueMs, own.log])
    }
    out.set(key, given)
  }
  return out
}

class Bench {
  readonly #options: ReturnType<typeof options>
  #step: ProcessStep
  #state: MemoryKeyedState<Entry>
  readonly given = new Map<string, unknown[]>()
  watermarkMs = -Infinity

  constructor(timeToLiveMs: number) {
    this.#options = options(timeToLiveMs)
    this.#step = new ProcessStep(this.#options as never)
    this.#state = new MemoryKeyedState<Entry>(this.#step.form)
  }

  get size(): number {
    return this.#state.size
  }

  restart(): void {
    this.#step = new ProcessStep(this.#options as never)
    this.#state = this.#state.restarted(this.#step.form)
  }

  async take(told: readonly Told[], from: number): Promise<void> {
    const keys = told.map(({ key }) => key)
    const watermarksMs = told.map(({ timeMs }) => {
      const beforeMs = this.watermarkMs
      this.watermarkMs = Math.max(beforeMs, timeMs)
      return beforeMs
    })
    const give = (row: number, ...what: unknown[]) => this.#give(keys[row]!, what)
    const input = { count: told.length, keys, values: told.map((one, row) => [from + row, one]) }
    const timesMs = told.map(({ timeMs }) => timeMs)
    await this.#step.take(this.#state, { ...input, timesMs, watermarksMs }, this.#toldMs, {
      passes: (row, value) => give(row, 'message', value),
      failed: (row) => give(row, 'failed', from + row),
      late: (row) => give(row, 'late', from + row),
      duplicate: () => assert.fail(),
      filtered: () => assert.fail(),
      called: (timer) => this.#called(timer),
    })
  }

  #toldMs = -Infinity

  async advance(limit: number): Promise<void> {
    this.#toldMs = this.watermarkMs
    if (!Number.isFinite(this.#toldMs)) return
    const called = (timer: CalledTimer) => this.#called(timer)
    while (await this.#step.forget(this.#state, this.#toldMs, limit, called));
  }

  async end(limit: number): Promise<void> {
    for (let from: string | undefined = ''; from !== undefined; ) {
      from = await this.#step.end(this.#state, from, limit, (timer) => this.#called(timer))
    }
  }

  #called(timer: CalledTimer): void {
    const { key, timeMs } = timer
    this.#give(key, 'value' in timer ? ['timer', timeMs, timer.value] : ['error', timeMs])
  }

  #give(key: string, what: unknown[]): void {
    this.given.set(key, [...(this.given.get(key) ?? []), what])
  }
}

const told = fc.record({
  key: fc.constantFrom('a', 'b', 'c/d', 'ü'),
  timeMs: fc.integer({ min: -20, max: 120 }),
  does: fc.constantFrom<Told['does'][]>('nothing', 'sets', 'sets', 'clears', 'forgets', 'throws'),
  byMs: fc.integer({ min: -30, max: 60 }),
  again: fc.integer({ min: -1, max: 3 }),
})
const parts = fc.array(
  fc.record({
    told: fc.array(told, { maxLength: 8 }),
    advances: fc.boolean(),
    restarts: fc.boolean(),
    limit: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 12 },
)

describe('state of its own with timers', () => {
  it('is what a slow look gives, wherever batches, restarts and watermarks fall', async () => {
    await fc.assert(
      fc.asyncProperty(parts, fc.constantFrom(Infinity, 40), async (drawn, timeToLiveMs) => {
        const bench = new Bench(timeToLiveMs)
        const all: Told[] = []
        for (const { told: some, advances, restarts, limit } of drawn) {
          await bench.take(some, all.length)
          all.push(...some)
          if (advances) await bench.advance(limit)
          if (restarts) bench.restart()
        }
        await bench.advance(2)
        await bench.end(2)
        for (const [key, given] of expected(all, timeToLiveMs)) {
          // A late message changes nothing, so it does not matter whether a timer came before it.
          const found = bench.given.get(key) ?? []
          for (const isLate of [true, false]) {
            const which = (what: unknown) => ((what as unknown[])[0] === 'late') === isLate
            assert.deepEqual(found.filter(which), given.filter(which), key)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('keeps nothing of a key that is forgotten, once its timer can be set for no time again', async () => {
    const bench = new Bench(Infinity)
    const one = { key: 'a', again: 0, byMs: 10 }
    await bench.take([{ ...one, timeMs: 0, does: 'sets' }], 0)
    assert.equal(bench.size, 2)
    await bench.take([{ ...one, timeMs: 10, does: 'forgets' }], 1)
    assert.equal(bench.size, 2)
    await bench.take([{ ...one, key: 'b', timeMs: 11, does: 'forgets' }], 2)
    await bench.advance(10)
    assert.equal(bench.size, 0)
  })
})
