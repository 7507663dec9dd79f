/** State of a user's own, as it is kept of each key: with what its timer needs. */
import type { Json } from './aggregator.ts'
import type { StateForm } from './keyed-state.ts'
import { entryForm, readTimer, type timer } from './keyed-timers.ts'
import { readList, readNumber, unreadable } from './saved.ts'
import { migrated, type Versioned } from './versioned.ts'

export interface Kept {
  /** Where the key's entry among the timers is. NaN: nowhere. */
  timerMs: number
  /** The latest time of a message or of a call of the timer. */
  lastMs: number
  /** Empty: there is none yet, or it was forgotten. */
  json: string
  /** For when the user's timer is set. NaN: it is not. */
  dueMs: number
  /** For when it was called last, as long as it could be set for that again. NaN: it is not known. */
  calledMs: number
}

export type Entry = Kept | typeof timer

export const begun = (): Kept => ({
  ...{ timerMs: Number.NaN, lastMs: Number.NEGATIVE_INFINITY, json: '' },
  ...{ dueMs: Number.NaN, calledMs: Number.NaN },
})

const name = 'state of its own'

/** Older versions of it are read where `migrate` is given. */
export function processForm(options: Versioned & { readonly version: number }): StateForm<Entry> {
  const { version: now, migrate } = options
  return {
    ...formOf(now, (json) => json),
    older(written) {
      const from = written.version
      if (written.name !== name || from >= now || migrate === undefined) return undefined
      return formOf(from, (json) => {
        return JSON.stringify(migrated(migrate, JSON.parse(json) as Json, from))
      })
    },
  }
}

/** `own` brings what was kept into the form that the function knows. */
function formOf(version: number, own: (json: string) => string): StateForm<Entry> {
  return entryForm<Kept>({
    ...{ name, version },
    save({ timerMs, lastMs, json, dueMs, calledMs }) {
      const hasTimer = !Number.isNaN(dueMs) || !Number.isNaN(calledMs)
      return [timerMs, lastMs, json, ...(hasTimer ? [dueMs, calledMs] : [])]
    },
    load(saved) {
      const [timerMs, lastMs, json, dueMs = null, calledMs = null] = readList(name, saved)
      if (typeof json !== 'string') throw unreadable(name, 'has another form')
      return {
        ...{ timerMs: readTimer(name, timerMs), lastMs: readLast(lastMs) },
        json: json === '' ? json : own(json),
        ...{ dueMs: readTimer(name, dueMs), calledMs: readTimer(name, calledMs) },
      }
    },
  })
}

/** Of what was forgotten it is -Infinity, which is null in JSON. */
const readLast = (saved: Json | undefined): number =>
  saved === null ? Number.NEGATIVE_INFINITY : readNumber(name, saved)
