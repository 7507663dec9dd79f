/** What the main thread and its workers tell each other. */
import type { MeasuredFigures } from '../monitoring/meter.ts'
import type { LaneProgress } from './lane.ts'
import type { RunTesting } from './run-testing.ts'
import type { Ended } from './upstream-time.ts'

export interface WorkerData {
  readonly appUrl: string
  readonly directory: string
  /** Of the process, where the log is on Kafka. */
  readonly instance: string | undefined
  readonly worker: number
  readonly ratePerSecond: number | undefined
  readonly untilEnd: boolean
  readonly durability: 'power' | 'process'
  /** Names of the pipelines to run; undefined runs all. */
  readonly pipelines: readonly string[] | undefined
  readonly testing: RunTesting | undefined
}

export type ToWorker =
  | { readonly kind: 'drain' }
  /** The pipelines of which all inputs were read to their end. */
  | { readonly kind: 'ended'; readonly pipelines: { readonly [name: string]: Ended } }

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly pipelines: { readonly [name: string]: LaneProgress } }
  | { readonly kind: 'figures'; readonly pipelines: { readonly [name: string]: MeasuredFigures } }
  | {
      readonly kind: 'failed'
      readonly code: string | undefined
      readonly message: string
      readonly stack: string | undefined
    }
  | { readonly kind: 'drained' }
