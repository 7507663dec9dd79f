/**
 * Tells what a run measures and what its panels show, once a second, to whoever shows it: see
 * monitoring/figures.ts and panels/told-boards.ts.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../log/log.ts'
import { FiguresTeller, type Told } from '../monitoring/figures.ts'
import { noFigures } from '../monitoring/meter.ts'
import { BoardTeller } from '../panels/told-boards.ts'
import type { App } from './app.ts'
import type { PanelsReader } from './panels-reader.ts'
import type { Plan } from './plan.ts'
import type { SummaryReader } from './summary.ts'
import type { Workers } from './workers.ts'

const tellEveryMs = 1000

export interface RunTellingOptions {
  readonly log: Log
  readonly clock: Clock
  readonly app: App
  readonly plan: Plan
  readonly summaries: readonly SummaryReader[]
  readonly panels: PanelsReader
  problem(words: string): void
}

export class RunTelling {
  readonly #teller: FiguresTeller
  readonly #names: readonly string[]
  readonly #summaries: readonly SummaryReader[]
  readonly #panels: PanelsReader
  readonly #boards: BoardTeller
  readonly #clock: Clock
  readonly #timer: NodeJS.Timeout
  #workers: Workers | undefined

  /** Tells at once what will run, and then how it does, until `end`. */
  constructor({ log, clock, app, plan, summaries, panels, problem }: RunTellingOptions) {
    const plans = plan.pipelines.map((one) => ({ ...one }))
    const told = { about: app.about ?? null, plans }
    this.#teller = new FiguresTeller({ log, clock, app: told, problem })
    this.#names = plan.pipelines.map(({ name }) => name)
    this.#summaries = summaries
    this.#panels = panels
    this.#boards = new BoardTeller({ log, key: keyOf(app), app: nameOf(app), problem })
    this.#clock = clock
    const tell = () => {
      void this.#teller.tell(this.#told())
      void this.#boards.tell(panels.sections(), clock.now())
    }
    this.#timer = setInterval(tell, tellEveryMs)
    tell()
  }

  /** From now on their figures are told. */
  follow(workers: Workers): void {
    this.#workers = workers
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#teller.end(this.#told())
    await this.#boards.end(this.#panels.sections(), this.#clock.now())
  }

  #told(): Told {
    const none = { ...noFigures, waiting: [] }
    const measured = this.#workers?.figures() ?? {}
    const pipelines = this.#names.map((name) => [name, measured[name] ?? none] as const)
    const figures = this.#summaries.flatMap((summary) => numbersOf(summary))
    return { pipelines: Object.fromEntries(pipelines), figures: Object.fromEntries(figures) }
  }
}

/** One application, wherever its file lies under the same address. */
const keyOf = ({ url }: App) => createHash('sha256').update(url).digest('hex').slice(0, 16)

/** The file and the folder that it is in, as people know it. */
const nameOf = ({ url }: App) => url.split('/').slice(-2).map(decodeURIComponent).join('/')

/** The numbers among a summary's figures; a summary that throws has none. */
function numbersOf(summary: SummaryReader): [string, number][] {
  try {
    return Object.entries(summary.figures()).filter(
      (entry): entry is [string, number] =>
        typeof entry[1] === 'number' && Number.isFinite(entry[1]),
    )
  } catch {
    return []
  }
}
