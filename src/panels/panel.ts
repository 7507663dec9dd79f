/**
 * Panels: what an application wants to be looked at, declared as plain data over the topics that its
 * pipelines write. The declaration names fields and measures, no functions, so that it can be shown
 * on Millrace's own page and be exported to other dashboards.
 */
import type { FieldOf, NumberField, Where } from './field.ts'
import { checkOptions } from './panel-options.ts'

/** Something that messages can be read from: a topic. */
export interface PanelTopic<out T> {
  readonly name: string
  readonly '~reads'?: () => T
}

/**
 * One number over many messages: how many they are; the mean, sum, least or greatest of a field (of
 * those that have it); or the share of those that meet a condition.
 */
export type Measure<T> =
  | 'count'
  | { readonly mean: NumberField<T> }
  | { readonly sum: NumberField<T> }
  | { readonly min: NumberField<T> }
  | { readonly max: NumberField<T> }
  | { readonly share: Where<T> }

interface Titled {
  readonly title: string
  /** A sentence on what is to be seen. */
  readonly note?: string
}

interface OfMessages<T> extends Titled {
  /** Only of messages whose fields are so: `{ 'spam.label': 'spam' }`. */
  readonly where?: Where<T>
}

export interface PieOptions<T> extends OfMessages<T> {
  /** A slice a value of this field; a message whose field is a list counts in each of its entries. */
  readonly by: FieldOf<T>
  /** So many slices, the rest together. Default 8. */
  readonly top?: number
}

export interface BarsOptions<T> extends OfMessages<T> {
  /** A bar a value of this field; a message whose field is a list counts in each of its entries. */
  readonly by: FieldOf<T>
  /** How long a bar is. Default: 'count'. */
  readonly value?: Measure<T>
  /** So many bars, the longest. Default 10. */
  readonly top?: number
}

export interface GaugeOptions<T> extends OfMessages<T> {
  readonly value: Measure<T>
  /** Where the scale begins. Default 0. */
  readonly min?: number
  /** Where it ends. Default 1. */
  readonly max?: number
}

export interface TimeLineOptions<T> extends OfMessages<T> {
  /** A line each, by its name. */
  readonly values: Readonly<Record<string, Measure<T>>>
  /** With one value: a line for each value of this field, the commonest eight. */
  readonly by?: FieldOf<T>
  /**
   * How much time a point covers: '10s', '5m', '1h', '7d', counted from 1970 in UTC. Default: as much
   * as gives about a hundred points.
   */
  readonly every?: string
}

export interface TableOptions<T> extends OfMessages<T> {
  readonly columns: readonly FieldOf<T>[]
  /** So many messages, the newest. Default 20. */
  readonly newest?: number
}

export interface TextOptions extends Titled {
  /** Paragraphs with an empty line between them. */
  readonly text: string
}

export type PanelKind = 'pie' | 'bars' | 'gauge' | 'timeLine' | 'table' | 'text'

/** A panel as it was declared, checked. */
export interface Panel {
  readonly kind: PanelKind
  /** Undefined for a text. */
  readonly topic: PanelTopic<unknown> | undefined
  readonly options: Readonly<Record<string, unknown>> & Titled
}

/** The panels of an application: what it exports. */
export interface Panels {
  readonly '~panels': true
  readonly title: string
  readonly panels: readonly Panel[]
}

/** The parts of a whole: how many messages have each value of a field. */
export const pie = <T>(topic: PanelTopic<T>, options: PieOptions<T>): Panel =>
  declared('pie', topic, options)

/** The values of a field that are commonest, or for which a measure is greatest. */
export const bars = <T>(topic: PanelTopic<T>, options: BarsOptions<T>): Panel =>
  declared('bars', topic, options)

/** One number on its scale. */
export const gauge = <T>(topic: PanelTopic<T>, options: GaugeOptions<T>): Panel =>
  declared('gauge', topic, options)

/** Measures along the time of the messages. */
export const timeLine = <T>(topic: PanelTopic<T>, options: TimeLineOptions<T>): Panel =>
  declared('timeLine', topic, options)

/** The newest messages, some of their fields. */
export const table = <T>(topic: PanelTopic<T>, options: TableOptions<T>): Panel =>
  declared('table', topic, options)

/** Words. */
export const text = (options: TextOptions): Panel => declared('text', undefined, options)

/**
 * Declares the panels of an application, in the order in which they are shown. Export what it gives
 * back. Throws `OPTIONS_INVALID`, which names the panel.
 *
 * @example
 * export const page = panels('Spam filter', [
 *   gauge(judged, { title: 'Accuracy', value: { share: { isRight: true } } }),
 *   pie(judged, { title: 'What came', by: 'spam.label' }),
 * ])
 */
export function panels(title: string, shown: readonly Panel[]): Panels {
  checkOptions('panels', { title }, undefined)
  return { '~panels': true, title, panels: shown }
}

export function isPanels(value: unknown): value is Panels {
  return typeof value === 'object' && value !== null && '~panels' in value
}

function declared(kind: PanelKind, topic: PanelTopic<unknown> | undefined, options: object): Panel {
  const checked = checkOptions(kind, options, topic)
  return { kind, topic, options: checked as Panel['options'] }
}
