/**
 * Event time of one input of a lane: how far its messages have come, and before each of them. That
 * depends on the messages alone, so a second run finds the same ones late.
 */
import type { Batch } from '../core/batch.ts'
import { decodeHeaders } from '../core/headers.ts'
import { PartitionWatermark } from '../transforms/watermark.ts'
import type { PipelineSettings } from './definition.ts'

/** What a checkpoint says of it; nothing in a pipeline without windows. */
export interface SavedTime {
  /** Its own watermark. */
  readonly at?: number
  /** The watermark up to which the windows that its messages go into were closed. */
  readonly closed?: number
  /** The token of the end that it was read to, where windows were told of it. */
  readonly ended?: number
}

/** Of messages with another key: the watermark of where they came from, before them. */
export const watermarkHeader = 'millrace.watermark'

/** A message whose time cannot be believed, or of which nothing was told: late, or never. */
export const [alwaysLate, neverLate] = [Infinity, -Infinity]

export class InputTime {
  readonly #watermark: PartitionWatermark
  /** Of messages that came with the watermark of where they came from. */
  readonly #isPassing: boolean
  #adoptedMs: number
  #closedMs: number
  /** Of the end that it was read to, where windows were told of it. */
  endedToken: number | undefined
  /**
   * Of messages that others of this pipeline send: all that they send later comes from this time on;
   * Infinity: they have nothing more to read themselves.
   */
  sentMs = neverLate

  constructor(settings: PipelineSettings, isPassing: boolean, saved: SavedTime = {}) {
    const { maxSkewMs } = settings
    this.#isPassing = isPassing
    this.#watermark = new PartitionWatermark({ outOfOrderMs: 0, maxSkewMs }, saved.at ?? null)
    this.#adoptedMs = saved.at ?? neverLate
    this.#closedMs = saved.closed ?? neverLate
    this.endedToken = saved.ended
  }

  /** -Infinity before its first message. */
  get atMs(): number {
    return this.#isPassing ? this.#adoptedMs : this.#watermark.atMs
  }

  /** -Infinity where there is no window, and before the first was asked to close. */
  get closedMs(): number {
    return this.#closedMs
  }

  closed(atMs: number): void {
    if (atMs > this.#closedMs) this.#closedMs = atMs
  }

  /** Those before told how far they are, and all that they had sent by then was read. */
  adopt(atMs: number): void {
    if (atMs > this.#adoptedMs) this.#adoptedMs = atMs
  }

  /** By message, the watermark before it. What comes behind an end takes it back. */
  observe(batch: Batch, nowMs: number): Float64Array {
    const before = new Float64Array(batch.count)
    if (batch.count > 0) this.endedToken = undefined
    for (let index = 0; index < batch.count; index++) {
      if (this.#isPassing) before[index] = passedWatermark(batch, index)
      else {
        before[index] = this.#watermark.atMs
        const isBelieved = this.#watermark.observe(batch.times[index]!, nowMs)
        if (!isBelieved) before[index] = alwaysLate
      }
    }
    return before
  }

  save(): SavedTime {
    const { atMs, closedMs, endedToken } = this
    return {
      ...(Number.isFinite(atMs) ? { at: atMs } : {}),
      ...(Number.isFinite(closedMs) ? { closed: closedMs } : {}),
      ...(endedToken === undefined ? {} : { ended: endedToken }),
    }
  }
}

/** `neverLate`: there was none. */
export function passedWatermark(batch: Batch, index: number): number {
  const headers = decodeHeaders(batch.bytes, batch.headerStarts[index]!, batch.headerEnds[index]!)
  const value = headers.find(({ key }) => key === watermarkHeader)?.value
  return value === undefined || value === null ? neverLate : Number(value.toString('latin1'))
}
