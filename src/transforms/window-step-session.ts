/**
 * Session windows over keyed state: one entry a key with all its open sessions, and one that is found
 * when the first of them closes. A session that grows leaves that timer where it is, so a message
 * changes one entry; a timer that comes too early is put where it belongs then.
 */
import type { Aggregator, Json } from './aggregator.ts'
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
import type { SessionWindow } from './window.ts'
import { closesAfterMs } from './window-assign.ts'
import { accepts, windowForm, windowFormName } from './window-form.ts'
import { mergeSessions, noMerge } from './window-session.ts'
import type { WindowInput, WindowOutput, WindowStep } from './window-step.ts'

interface Session {
  startMs: number
  /** The time of its last message. */
  endMs: number
  /** How many messages it has taken. */
  revision: number
  /** The revision that was emitted last under this start; 0: none. */
  emitted: number
  state: unknown
}

interface Sessions {
  /** Where the key's timer is: not behind the moment when the first session closes. NaN: nowhere. */
  timerMs: number
  /** Ascending, apart from each other. */
  readonly sessions: Session[]
}

type Entry = Sessions | typeof timer

export class SessionStep implements WindowStep<Entry> {
  readonly form: StateForm<Entry>
  readonly closesAfterMs: number
  readonly #window: SessionWindow
  readonly #isCurrent: boolean
  readonly #aggregator: Aggregator<unknown, unknown>
  readonly #merge = noMerge()
  readonly #places = new KeyPlaces()
  readonly #timers: Timers

  constructor(window: SessionWindow, aggregator: Aggregator<unknown, unknown>) {
    this.form = windowForm(window, aggregator, (one) => sessionForm(window, one))
    this.#timers = new Timers(this.form.name)
    this.closesAfterMs = closesAfterMs(window)
    this.#window = window
    this.#isCurrent = window.emit === 'current'
    this.#aggregator = aggregator
  }

  async take(
    state: KeyedState<Entry>,
    input: WindowInput,
    closedMs: number,
    output: WindowOutput,
  ): Promise<void> {
    const places = this.#places
    places.find(input)
    if (input.count === 0) return
    await state.load(places.stateKeys)
    const known = places.stateKeys.map((stateKey) => state.get(stateKey) as Sessions | undefined)
    const changed = new Array<boolean>(known.length).fill(false)
    for (let row = 0; row < input.count; row++) {
      const place = places.places[row]!
      const entry = known[place] ?? { timerMs: Number.NaN, sessions: [] }
      known[place] = entry
      const watermarkMs = Math.max(closedMs, input.watermarksMs[row]!)
      if (this.#add(entry.sessions, input, row, watermarkMs, output)) changed[place] = true
    }
    for (let place = 0; place < known.length; place++) {
      if (!changed[place]) continue
      const key = places.keys[place]!
      const entry = known[place]!
      if (this.#isCurrent) this.#emitAll(key, entry.sessions, entry.sessions.length, output)
      const closesMs = this.#firstClose(entry.sessions)
      this.#timers.armBy(state, key, entry, closesMs)
      state.set(places.stateKeys[place]!, entry)
    }
  }

  /** True where the message was taken. */
  #add(
    sessions: Session[],
    { keys, values, timesMs }: WindowInput,
    row: number,
    watermarkMs: number,
    output: WindowOutput,
  ): boolean {
    const aggregator = this.#aggregator
    const merge = this.#merge
    const timeMs = timesMs[row]!
    if (!mergeSessions(this.#window, sessions, timeMs, watermarkMs, merge)) {
      output.late(row)
      return false
    }
    const value = values[row]
    if (!accepts(aggregator, value, row, output)) return false
    const { startMs, endMs, from, to } = merge
    const session = from === to ? this.#begun(sessions, from) : sessions[from]!
    const joined = from + 1 < to ? sessions[from + 1] : undefined
    const revision = session.revision + (joined?.revision ?? 0) + 1
    if (joined !== undefined) {
      session.state = aggregator.merge(session.state, joined.state)
      if (joined.emitted > 0) output.gone(keys[row]!, joined.startMs, revision)
      sessions.splice(from + 1, 1)
    }
    if (session.startMs !== startMs) {
      if (session.emitted > 0) output.gone(keys[row]!, session.startMs, revision)
      session.startMs = startMs
      session.emitted = 0
    }
    session.endMs = endMs
    session.revision = revision
    session.state = aggregator.add(session.state, value, timeMs)
    return true
  }

  #begun(sessions: Session[], place: number): Session {
    const state = this.#aggregator.start()
    const session = { startMs: Number.NaN, endMs: Number.NaN, revision: 0, emitted: 0, state }
    sessions.splice(place, 0, session)
    return session
  }

  async close(
    state: KeyedState<Entry>,
    watermarkMs: number,
    limit: number,
    output: WindowOutput,
  ): Promise<boolean> {
    const due = await this.#timers.due(state, watermarkMs, limit)
    let left = limit
    for (const [key, entry] of due) {
      const stateKey = keyEntry(key)
      const { sessions } = entry
      const count = Math.min(left, this.#closed(sessions, watermarkMs))
      this.#emitAll(key, sessions, count, output, !this.#isCurrent)
      sessions.splice(0, count)
      left -= count
      this.#timers.arm(state, key, entry, this.#firstClose(sessions))
      if (sessions.length === 0) state.delete(stateKey)
      else state.set(stateKey, entry)
      // Of this key and the keys behind it there may be more.
      if (left === 0) return true
    }
    return this.#timers.passed(watermarkMs)
  }

  async flush(
    state: KeyedState<Entry>,
    from: string,
    limit: number,
    output: WindowOutput,
  ): Promise<string | undefined> {
    await state.load([])
    const entries = await state.scan(from === '' ? firstKey : from, behindKeys, limit)
    for (const [stateKey, entry] of entries as readonly (readonly [string, Sessions])[]) {
      const { sessions } = entry
      if (this.#emitAll(keyOfEntry(stateKey), sessions, sessions.length, output)) {
        state.set(stateKey, entry)
      }
    }
    return entries.length < limit ? undefined : `${entries.at(-1)![0]}\0`
  }

  /** How many sessions a watermark closes: the first ones. */
  #closed(sessions: readonly Session[], watermarkMs: number): number {
    let count = 0
    while (count < sessions.length && sessions[count]!.endMs + this.closesAfterMs <= watermarkMs) {
      count++
    }
    return count
  }

  /** Of the first `count` those that were not emitted yet, or all; true where there was one. */
  #emitAll(
    key: string,
    sessions: readonly Session[],
    count: number,
    output: WindowOutput,
    isAgain = false,
  ): boolean {
    let isOne = false
    for (let index = 0; index < count; index++) {
      const session = sessions[index]!
      const { startMs, endMs, revision } = session
      if (session.emitted === revision && !isAgain) continue
      const value = this.#aggregator.result(session.state, endMs)
      output.result({ key, startMs, endMs, revision, value })
      session.emitted = revision
      isOne = true
    }
    return isOne
  }

  /** When the first of the sessions closes. NaN: there is none. */
  #firstClose(sessions: readonly Session[]): number {
    return sessions.length === 0 ? Number.NaN : sessions[0]!.endMs + this.closesAfterMs
  }
}

function sessionForm(
  window: SessionWindow,
  aggregator: Aggregator<unknown, unknown>,
): StateForm<Entry> {
  const name = windowFormName(window, aggregator)
  const saved = ({ startMs, endMs, revision, emitted, state }: Session): Json => {
    return [startMs, endMs - startMs, revision, emitted, aggregator.save(state)]
  }
  const loaded = (json: Json): Session => {
    const [startMs, lengthMs, revision, emitted, state, ...more] = readList(name, json)
    if (state === undefined || more.length > 0) throw unreadable(name, 'has another form')
    return {
      startMs: readNumber(name, startMs),
      endMs: readNumber(name, startMs) + readCount(name, lengthMs),
      revision: readCount(name, revision),
      emitted: readCount(name, emitted),
      state: aggregator.load(state),
    }
  }
  return entryForm<Sessions>({
    name,
    save: ({ timerMs, sessions }) => [timerMs, sessions.map(saved)],
    load(json) {
      const [timerMs, sessions] = readList(name, json)
      return {
        timerMs: readNumber(name, timerMs),
        sessions: readList(name, sessions).map(loaded),
      }
    },
  })
}
