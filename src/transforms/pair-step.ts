/**
 * Pairs of messages of two streams with the same key whose event times are at most `withinMs` apart,
 * each with each. What may still find another half is kept: a message that is not late comes at most
 * `withinMs` behind the watermark, so a half is kept until the watermark is twice that past it.
 */
import type { KeyedState, StateForm } from './keyed-state.ts'
import {
  behindKeys,
  entryForm,
  firstKey,
  KeyPlaces,
  keyEntry,
  keyOfEntry,
  Timers,
  type timer,
} from './keyed-timers.ts'
import { readCount, readList, readNumber, unreadable } from './saved.ts'

export type Side = 'left' | 'right'

/** One message of a side, as it is kept. */
export interface Half {
  readonly timeMs: number
  readonly id: string
  readonly version: number
  /** Its value. */
  readonly json: string
}

/** Messages of one side in the order in which they came, by column. */
export interface PairInput {
  readonly count: number
  readonly keys: readonly string[]
  readonly halves: readonly Half[]
  /** The watermark before each message, of the partition it came from. */
  readonly watermarksMs: ArrayLike<number>
}

export interface PairOutput {
  /** A row found another half. False: they make no pair, and the row is not taken at all. */
  pair(row: number, left: Half, right: Half): boolean
  /** It came again: what has its id waits already. */
  duplicate(row: number): void
  /** Those that it could find may be forgotten. */
  late(row: number): void
}

/** A left half that found no other, and will find none. */
export type Alone = (key: string, left: Half) => void

export interface PairStepOptions {
  readonly withinMs: number
  /** Left halves that find no other are told of. */
  readonly tellsAlone: boolean
}

interface Waiting extends Half {
  /** It found another half, or was told of as one that found none. */
  isTold: boolean
}

interface Halves {
  /** Where the key's timer is. NaN: nowhere. */
  timerMs: number
  readonly left: Waiting[]
  readonly right: Waiting[]
}

type Entry = Halves | typeof timer

export class PairStep {
  readonly form: StateForm<Entry>
  /** What comes out later may be so much older than the watermark. */
  readonly closesAfterMs: number
  readonly #withinMs: number
  readonly #tellsAlone: boolean
  readonly #places = new KeyPlaces()
  readonly #timers: Timers

  constructor({ withinMs, tellsAlone }: PairStepOptions) {
    this.#withinMs = withinMs
    this.#tellsAlone = tellsAlone
    this.closesAfterMs = 2 * withinMs
    this.form = formOf(withinMs)
    this.#timers = new Timers(this.form.name)
  }

  /** What waits under a key, for whoever looks in. */
  told(entry: Entry): unknown {
    const { left, right } = entry as Halves
    const each = ({ timeMs, id, json }: Waiting) => {
      return { id, time: new Date(timeMs).toISOString(), value: JSON.parse(json) as unknown }
    }
    return { left: left.map(each), right: right.map(each) }
  }

  async take(
    state: KeyedState<Entry>,
    side: Side,
    input: PairInput,
    closedMs: number,
    output: PairOutput,
  ): Promise<void> {
    const places = this.#places
    places.find(input)
    await state.load(places.stateKeys)
    for (let row = 0; row < input.count; row++) {
      const half = input.halves[row]!
      if (half.timeMs + this.#withinMs < Math.max(closedMs, input.watermarksMs[row]!)) {
        output.late(row)
        continue
      }
      const place = places.places[row]!
      const stateKey = places.stateKeys[place]!
      const entry = (state.get(stateKey) as Halves | undefined) ?? {
        ...{ timerMs: Number.NaN, left: [], right: [] },
      }
      if (entry[side].some(({ id }) => id === half.id)) {
        output.duplicate(row)
        continue
      }
      if (!this.#match(entry, side, half, row, output)) continue
      this.#keep(state, places.keys[place]!, entry)
    }
  }

  /** Forgets what finds no other half any more. At most `limit` keys; true: there is more. */
  async close(
    state: KeyedState<Entry>,
    watermarkMs: number,
    limit: number,
    alone: Alone,
  ): Promise<boolean> {
    for (const [key, entry] of await this.#timers.due(state, watermarkMs, limit)) {
      const isOver = ({ timeMs }: Half) => timeMs + this.closesAfterMs < watermarkMs
      this.#tell(key, entry.left.filter(isOver), alone)
      for (const side of [entry.left, entry.right]) {
        const open = side.filter((half) => !isOver(half))
        side.splice(0, side.length, ...open)
      }
      this.#timers.arm(state, key, entry, Number.NaN)
      this.#keep(state, key, entry)
    }
    return this.#timers.passed(watermarkMs)
  }

  /**
   * Tells of all that wait alone as things stand, and keeps them: they may still find another half, and
   * are not told of again. From key `from` on, '' the first, about `limit` keys; gives where it goes
   * on, undefined at the end.
   */
  async flush(
    state: KeyedState<Entry>,
    from: string,
    limit: number,
    alone: Alone,
  ): Promise<string | undefined> {
    if (!this.#tellsAlone) return undefined
    await state.load([])
    const found = await state.scan(from === '' ? firstKey : from, behindKeys, limit)
    for (const [stateKey, entry] of found as readonly (readonly [string, Halves])[]) {
      if (entry.left.every(({ isTold }) => isTold)) continue
      this.#tell(keyOfEntry(stateKey), entry.left, alone)
      state.set(stateKey, entry)
    }
    return found.length < limit ? undefined : `${found.at(-1)![0]}\0`
  }

  #match(entry: Halves, side: Side, half: Half, row: number, output: PairOutput): boolean {
    const others = entry[side === 'left' ? 'right' : 'left']
    const met = others.filter(({ timeMs }) => Math.abs(timeMs - half.timeMs) <= this.#withinMs)
    for (const other of met) {
      const [left, right] = side === 'left' ? [half, other] : [other, half]
      if (!output.pair(row, left, right)) return false
    }
    for (const other of met) other.isTold = true
    entry[side].push({ ...half, isTold: met.length > 0 })
    return true
  }

  #tell(key: string, halves: readonly Waiting[], alone: Alone): void {
    if (!this.#tellsAlone) return
    for (const half of halves) {
      if (half.isTold) continue
      half.isTold = true
      alone(key, half)
    }
  }

  #keep(state: KeyedState<Entry>, key: string, entry: Halves): void {
    const all = [...entry.left, ...entry.right]
    // A millisecond behind: at twice the time it may still find another.
    const dueMs =
      all.length === 0
        ? Number.NaN
        : Math.min(...all.map(({ timeMs }) => timeMs)) + this.closesAfterMs + 1
    this.#timers.armBy(state, key, entry, dueMs)
    if (all.length === 0) state.delete(keyEntry(key))
    else state.set(keyEntry(key), entry)
  }
}

function formOf(withinMs: number): StateForm<Entry> {
  const name = `pairs within ${withinMs} ms`
  const saved = ({ timeMs, id, version, json, isTold }: Waiting) => {
    return [timeMs, id, version, json, isTold ? 1 : 0]
  }
  return entryForm<Halves>({
    name,
    save: ({ timerMs, left, right }) => [timerMs, left.map(saved), right.map(saved)],
    load(json) {
      const [timerMs, left, right] = readList(name, json)
      const loaded = (one: Parameters<typeof readList>[1]): Waiting => {
        const [timeMs, id, version, text, isTold] = readList(name, one)
        if (typeof id !== 'string' || typeof text !== 'string') {
          throw unreadable(name, 'has another form')
        }
        return {
          ...{ timeMs: readNumber(name, timeMs), id, version: readCount(name, version) },
          ...{ json: text, isTold: isTold === 1 },
        }
      }
      return {
        timerMs: readNumber(name, timerMs),
        left: readList(name, left).map(loaded),
        right: readList(name, right).map(loaded),
      }
    },
  })
}
