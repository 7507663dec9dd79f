/**
 * What the page knows, in one place. Views subscribe to it; it tells them at most once a second, and
 * not at all while the tab is hidden.
 */
import type { HistoryPoint, PanelsPage, State } from '../../src/server/state.ts'
import { pointOf, withPoint } from './history.ts'

export type Connection =
  | { readonly kind: 'connecting'; readonly sinceMs: number }
  | { readonly kind: 'live'; readonly sinceMs: number }
  | { readonly kind: 'reconnecting'; readonly sinceMs: number }
  | { readonly kind: 'gone'; readonly sinceMs: number }
  /** The server is there and wants a token first. */
  | { readonly kind: 'locked'; readonly sinceMs: number }

export interface Known {
  readonly state: State | undefined
  readonly points: readonly HistoryPoint[]
  /** Undefined: the server did not tell them yet. */
  readonly panels: PanelsPage | undefined
  readonly connection: Connection
  /** The version that served this page; another one may be running by now. */
  readonly firstVersion: string | undefined
}

const leastMsBetween = 950

export class Store {
  #known: Known
  #shown: Known
  #toldAt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #listeners = new Set<() => void>()

  constructor(nowMs: number) {
    this.#known = {
      state: undefined,
      points: [],
      panels: undefined,
      connection: { kind: 'connecting', sinceMs: nowMs },
      firstVersion: undefined,
    }
    this.#shown = this.#known
    document.addEventListener('visibilitychange', () => this.#plan())
  }

  /** What is to be drawn: the same object until listeners are told. */
  get shown(): Known {
    return this.#shown
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  takeState(state: State): void {
    const { state: before, points, firstVersion } = this.#known
    this.#change({
      state,
      points: withPoint(points, pointOf(before, state)),
      firstVersion: firstVersion ?? state.version,
    })
  }

  /** The server's ring, with what came by events since it was read. */
  takeHistory(history: readonly HistoryPoint[]): void {
    const last = history.at(-1)?.atMs ?? 0
    const newer = this.#known.points.filter((point) => point.atMs > last)
    this.#change({ points: [...history, ...newer] })
  }

  /** The first ones are told at once: people wait for them. */
  takePanels(panels: PanelsPage): void {
    if (this.#known.panels === undefined) this.#toldAt = 0
    this.#change({ panels })
  }

  /** Told at once: people wait for it. */
  takeConnection(connection: Connection): void {
    const known = this.#known.connection
    if (known.kind === connection.kind && known.sinceMs === connection.sinceMs) return
    this.#toldAt = 0
    this.#change({ connection })
  }

  #change(part: Partial<Known>): void {
    const isFirst = this.#known.state === undefined
    this.#known = { ...this.#known, ...part }
    if (isFirst) this.#toldAt = 0
    this.#plan()
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#shown === this.#known) return
    if (document.visibilityState === 'hidden') return
    const waitMs = Math.max(0, this.#toldAt + leastMsBetween - Date.now())
    if (waitMs === 0) this.#tell()
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        if (document.visibilityState !== 'hidden') this.#tell()
      }, waitMs)
    }
  }

  #tell(): void {
    this.#toldAt = Date.now()
    this.#shown = this.#known
    for (const listener of this.#listeners) listener()
  }
}
