/** What panels show, as plain data: made where the application runs, read by whoever shows it. */

/** The panels of one application as they stand. */
export interface Board {
  /** Of the application; the same for each start of it. */
  readonly app: string
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly sections: readonly Section[]
}

/** What one `panels(...)` declared. */
export interface Section {
  readonly title: string
  readonly panels: readonly PanelView[]
}

export type PanelView = PieView | BarsView | GaugeView | TimeLineView | TableView | TextView

interface Shown {
  readonly title: string
  readonly note: string | null
}

interface OfMessagesView extends Shown {
  readonly topic: string
  /** Messages that were taken in: those that met `where`. */
  readonly messages: number
  /** Messages that could not be read, and are in nothing that is shown. */
  readonly unreadable: number
}

export interface Slice {
  readonly name: string
  readonly value: number
}

export interface PieView extends OfMessagesView {
  readonly kind: 'pie'
  /** The greatest first. */
  readonly slices: readonly Slice[]
  /** All others together; 0: there are none. */
  readonly others: number
  /** There were too many different values to count each: the shown ones may be a little too low. */
  readonly isApproximate: boolean
}

export interface BarsView extends OfMessagesView {
  readonly kind: 'bars'
  /** The longest first. */
  readonly slices: readonly Slice[]
  /** How values are to be read. */
  readonly unit: Unit
  readonly isApproximate: boolean
}

/** A share is between 0 and 1. */
export type Unit = 'count' | 'share' | 'number'

export interface GaugeView extends OfMessagesView {
  readonly kind: 'gauge'
  /** Null: there was nothing to measure. */
  readonly value: number | null
  readonly min: number
  readonly max: number
  readonly unit: Unit
}

export interface TimeLineView extends OfMessagesView {
  readonly kind: 'timeLine'
  /** How much time a point covers. */
  readonly everyMs: number
  /** Where each point's time begins, ascending; times without messages have no point. */
  readonly timesMs: readonly number[]
  readonly series: readonly {
    readonly name: string
    /** Null where there was nothing to measure. */
    readonly values: readonly (number | null)[]
    readonly unit: Unit
  }[]
}

export interface TableView extends OfMessagesView {
  readonly kind: 'table'
  readonly columns: readonly string[]
  /** The newest first; long texts are cut, lists are written with commas, objects as JSON. */
  readonly rows: readonly (readonly (string | number | boolean | null)[])[]
}

export interface TextView extends Shown {
  readonly kind: 'text'
  readonly paragraphs: readonly string[]
}
