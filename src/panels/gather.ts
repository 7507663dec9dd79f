/** Panels at work: each takes messages in, one by one, and says at any time what is to be shown. */
import { conditionOf, fieldReader } from './field.ts'
import { Groups, namesIn } from './groups.ts'
import type { Panel } from './panel.ts'
import { everyMs, type OptionsOf } from './panel-options.ts'
import type { PanelView, TableView } from './panel-view.ts'
import { type CheckedMeasure, meterOf, Tally } from './tally.ts'
import { TimeBuckets } from './time-buckets.ts'

/** One panel, filled. */
export interface Gatherer {
  /** Undefined for a panel that is about no topic. */
  readonly topic: string | undefined
  /** Takes in one value and the time of its message, milliseconds since 1970. */
  add(value: unknown, timeMs: number): void
  /** A message that could not be read. */
  miss(): void
  view(): PanelView
}

/** What a kind keeps and shows; the rest is the same for all. */
interface Content {
  add(value: unknown, timeMs: number): void
  view(): object
}

export function gathererOf(panel: Panel): Gatherer {
  const { kind, options, topic } = panel
  const { title, note } = options
  const shown = { title, note: note ?? null }
  if (kind === 'text') {
    const { text } = options as OptionsOf<'text'>
    const paragraphs = text.split(/\n\s*\n/).map((one) => one.trim().replace(/\s+/g, ' '))
    const view = (): PanelView => ({ ...shown, kind: 'text', paragraphs })
    return { topic: undefined, add() {}, miss() {}, view }
  }
  const isWanted = conditionOf(options.where as Readonly<Record<string, unknown>> | undefined)
  const content = contents[kind](options as never)
  let messages = 0
  let unreadable = 0
  return {
    topic: topic!.name,
    add(value, timeMs) {
      if (!isWanted(value)) return
      messages++
      content.add(value, timeMs)
    },
    miss() {
      unreadable++
    },
    view() {
      const own = content.view()
      return { ...shown, kind, topic: topic!.name, messages, unreadable, ...own } as PanelView
    },
  }
}

const contents = { pie, bars, gauge, timeLine, table }

function pie({ by, top }: OptionsOf<'pie'>): Content {
  const groups = new Groups(fieldReader(by), meterOf('count'))
  return {
    add: (value) => groups.add(value),
    view() {
      const { slices, others } = groups.greatest(top)
      return { slices, others: others.count, isApproximate: groups.isApproximate }
    },
  }
}

function bars({ by, top, value: measure }: OptionsOf<'bars'>): Content {
  const meter = meterOf(measure as CheckedMeasure)
  const groups = new Groups(fieldReader(by), meter)
  return {
    add: (value) => groups.add(value),
    view() {
      const { slices } = groups.greatest(top)
      return { slices, unit: meter.unit, isApproximate: groups.isApproximate }
    },
  }
}

function gauge({ value: measure, min, max }: OptionsOf<'gauge'>): Content {
  const meter = meterOf(measure as CheckedMeasure)
  const tally = new Tally()
  return {
    add(value) {
      const number = meter.take(value)
      if (number !== undefined) tally.add(number)
    },
    view: () => ({ value: meter.result(tally), min, max, unit: meter.unit }),
  }
}

/** Lines of a split; what comes later than the first so many values is one line together. */
const mostLines = 8

function timeLine({ values, by, every }: OptionsOf<'timeLine'>): Content {
  const meters = Object.entries(values).map(([name, measure]) => ({
    name,
    ...meterOf(measure as CheckedMeasure),
  }))
  const buckets = new TimeBuckets(every === undefined ? undefined : everyMs(every))
  const lines = by === undefined ? undefined : new Lines(by)
  return {
    add(value, timeMs) {
      for (const [number, meter] of meters.entries()) {
        const taken = meter.take(value)
        if (taken === undefined) continue
        if (lines === undefined) buckets.add(timeMs, number, taken)
        else for (const line of lines.of(value)) buckets.add(timeMs, line, taken)
      }
    },
    view() {
      const points = buckets.points()
      const named = lines?.names.map((name) => ({ ...meters[0]!, name })) ?? meters
      const series = named.map(({ name, unit, result }, line) => ({
        ...{ name, unit },
        values: points.map(([, tallies]) => result(tallies[line] ?? new Tally())),
      }))
      return { everyMs: buckets.everyMs, timesMs: points.map(([start]) => start), series }
    },
  }
}

/** Numbers the values of a field in the order in which they come. */
class Lines {
  readonly #read: (value: unknown) => unknown
  readonly #numbers = new Map<string, number>()
  readonly names: string[] = []

  constructor(by: string) {
    this.#read = fieldReader(by)
  }

  of(value: unknown): readonly number[] {
    return namesIn(this.#read(value)).map((name) => this.#number(name))
  }

  #number(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    if (this.names.length > mostLines) return mostLines
    const number = this.names.length
    if (number === mostLines) {
      this.names.push('all others')
      return number
    }
    this.names.push(name)
    this.#numbers.set(name, number)
    return number
  }
}

const longestCell = 300

function table({ columns, newest }: OptionsOf<'table'>): Content {
  const readers = columns.map(fieldReader)
  let kept: { readonly timeMs: number; readonly cells: TableView['rows'][number] }[] = []
  const sorted = () => kept.sort((a, b) => b.timeMs - a.timeMs).slice(0, newest)
  return {
    add(value, timeMs) {
      kept.push({ timeMs, cells: readers.map((read) => cellOf(read(value))) })
      if (kept.length > 10 * newest) kept = sorted()
    },
    view: () => ({ columns, rows: sorted().map(({ cells }) => cells) }),
  }
}

/** A list of plain values reads as one. */
function wordsOf(value: unknown): string {
  if (Array.isArray(value) && value.every((entry) => typeof entry !== 'object')) {
    return value.join(', ')
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function cellOf(value: unknown): string | number | boolean | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (value instanceof Date && Number.isFinite(value.getTime())) return value.toISOString()
  const words = wordsOf(value)
  return words.length > longestCell ? `${words.slice(0, longestCell)}…` : words
}
