/**
 * What the page and `/metrics` show, as plain data: read from the log once a second, so that every
 * process on the same state directory is seen, whichever of them serves the page.
 */
import type { Explanation } from '../models/explain.ts'
import type { Board } from '../panels/panel-view.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ModelSummary } from '../registry/records.ts'

export type { Explanation, TermContribution } from '../models/explain.ts'
export type * from '../panels/panel-view.ts'
export type { PipelinePlan } from '../pipeline/plan.ts'
export type { RegisteredVersion, RegistryChange } from '../registry/entries.ts'
export type { ModelRecord, ModelSummary } from '../registry/records.ts'

/** `GET /api/state`, and the data of each `state` event of `GET /api/events`. */
export interface State {
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** Of Millrace. */
  readonly version: string
  /** The application's `about`, where one is served. */
  readonly about: string | null
  readonly health: Health
  readonly processes: readonly ProcessState[]
  /** In the order of the plan: whoever writes a topic stands before whoever reads it. */
  readonly pipelines: readonly PipelineState[]
  readonly topics: readonly TopicState[]
  /** Figures of the application's summaries: `{ accuracy: 0.97, majorityAccuracy: 0.83 }`. */
  readonly figures: Readonly<Record<string, number>>
}

export interface Health {
  readonly isReady: boolean
  /** Sentences; empty when ready. */
  readonly reasons: readonly string[]
}

/** A process that runs pipelines here; it tells how it does once a second. */
export interface ProcessState {
  /** New with each start. */
  readonly id: string
  readonly pid: number
  readonly startedAtMs: number
  readonly seenAtMs: number
  readonly memoryBytes: number
}

export interface PipelineState {
  readonly name: string
  /** Null where no process has told it: an older one ran here last. */
  readonly plan: PipelinePlan | null
  /** How many workers are in the group; 0: nobody runs it now. */
  readonly members: number
  readonly isPaused: boolean
  /** Messages between what is committed and the ends of the inputs. */
  readonly lagMessages: number
  /** The age of the oldest message that was not worked on yet; 0: it has caught up. */
  readonly lagSeconds: number
  /** Its inputs; of replays those where some wait. */
  readonly partitions: readonly PartitionState[]
  readonly rebalances: RebalanceState
  /** Messages taken in a second, over the last ten seconds. */
  readonly messagesPerSecond: number
  /** From reading a message to its commit, over the last ten seconds; null when nothing came. */
  readonly latencyMs: { readonly p50: number; readonly p99: number } | null
  /** The first is `read`, what comes in; then the steps of the chain. */
  readonly steps: readonly StepState[]
  readonly isBalanced: boolean
  /** What does not balance, a sentence each. */
  readonly imbalances: readonly string[]
  /** Dead letters that wait to be replayed or dropped. */
  readonly deadLetters: number
  /** What somebody waits for: a full disk, a busy sink. */
  readonly waiting: readonly string[]
  /** Copies of state kept warm elsewhere, and how many changes they are behind; null: none. */
  readonly standby: { readonly copies: number; readonly lag: number } | null
}

/** One partition of an input, or one split of a source. */
export interface PartitionState {
  readonly topic: string
  readonly partition: number
  /** Who works on it; null: nobody now. */
  readonly member: string | null
  /** Where that member runs; null where it does not say. */
  readonly host: string | null
  readonly pid: number | null
  /** The next offset to read. Of a source: how many messages it gave; null: none yet. */
  readonly position: number | null
  /** Null: it is of a source, which does not say how much is left in it. */
  readonly end: number | null
  readonly lagMessages: number | null
  /** Since the time of the message at the position; 0 when caught up. Looked at every few seconds. */
  readonly lagSeconds: number | null
}

/** How often partitions were shared out anew among the members of a group. */
export interface RebalanceState {
  /** 0: not known, because nobody is in the group. */
  readonly generation: number
  /** Since this server started. */
  readonly count: number
  /** Null: none was seen. */
  readonly lastAtMs: number | null
}

/** The ledger of one step, counted since the plan last changed, over all its partitions. */
export interface StepState {
  readonly name: string
  readonly in: number
  readonly emitted: number
  readonly entered: number
  readonly passed: number
  readonly filtered: number
  readonly duplicate: number
  readonly absorbed: number
  readonly late: number
  readonly deadLettered: number
  readonly expired: number
  /** Messages that it took in a second, over the last ten seconds. */
  readonly inPerSecond: number
  readonly emittedPerSecond: number
  /** Of a `predict` step: how often each label was answered since the processes started. */
  readonly labels: Readonly<Record<string, number>> | null
  /** Seconds that the step worked since the processes started; null where that is not measured. */
  readonly busySeconds: number | null
  /** Null: it does not look up in another system. */
  readonly lookup: LookupState | null
  /** Null: it keeps nothing of the messages that went through it. */
  readonly kept: KeptState | null
}

/** What a step remembers of another system, and how often it asked, since the processes started. */
export interface LookupState {
  /** Messages answered by what was remembered, or by a question that was asked anyway. */
  readonly hits: number
  /** Keys that were asked for. */
  readonly misses: number
  /** Answers remembered now. */
  readonly entries: number
}

/** What a step keeps, over all its partitions: open windows, what waits for a join. */
export interface KeptState {
  /**
   * Of windows: those that end before this are closed, in the partition furthest behind. Null: none was
   * closed yet, or the step has no windows.
   */
  readonly watermarkMs: number | null
  /** How much newer the newest message is that the pipeline has read. */
  readonly behindMs: number | null
  /** Entries, of which a window may have several; null: to find out all of it would have to be read. */
  readonly keys: number | null
  /** Null: this log does not tell. Looked at every few seconds. */
  readonly sizeBytes: number | null
}

export interface TopicState {
  readonly name: string
  readonly partitions: number
  readonly cleanup: 'delete' | 'compact'
  /** Of a compacted topic counted every few seconds: what was taken since then is still in it. */
  readonly messages: number
  readonly appendedPerSecond: number
  /** Made by Millrace for itself. */
  readonly isInternal: boolean
}

/**
 * `GET /api/history`: what charts show before the first event; a point a second, oldest first. In
 * `GET /api/events` each second has a `point` event with its newest point beside the `state` event;
 * whoever comes back with `Last-Event-ID` first gets a `history` event with the points since then.
 */
export interface History {
  readonly points: readonly HistoryPoint[]
}

export interface HistoryPoint {
  readonly atMs: number
  /** By pipeline. Of the time before this server started there is no lag: it is left out. */
  readonly messagesPerSecond: Readonly<Record<string, number>>
  readonly lagMessages: Readonly<Record<string, number>>
  readonly p50Ms: Readonly<Record<string, number | null>>
  readonly p99Ms: Readonly<Record<string, number | null>>
  /** By `pipeline/step`, by label: how often it was answered in this second. */
  readonly predictions: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly figures: Readonly<Record<string, number>>
}

/**
 * `GET /api/panels`, and the data of each `panels` event of `GET /api/events`, which comes at the
 * beginning and whenever something changed.
 */
export interface PanelsPage {
  /** What applications declared to be shown; the one told last stands first. */
  readonly boards: readonly Board[]
}

/** `GET /api/topics/NAME/messages?limit=&before=&key=&id=`: the newest first. */
export interface MessagesPage {
  readonly topic: string
  readonly messages: readonly MessageView[]
  /** Give it back as `before` for older ones; null: there are none. */
  readonly older: string | null
  readonly searched: Searched
}

/** How far a bounded search looked: what it did not find may still be further back. */
export interface Searched {
  readonly messages: number
  readonly bytes: number
  /** False: it ended by its bounds of time and bytes, and `older` goes on from there. */
  readonly isComplete: boolean
}

export interface MessageView {
  readonly partition: number
  readonly offset: number
  readonly timeMs: number
  readonly key: string | null
  readonly id: string | null
  readonly version: number | null
  /** As JSON where it is, else as text; cut at 4 KiB. Null: a delete. */
  readonly value: unknown
  readonly isCut: boolean
  readonly headers: Readonly<Record<string, string>>
}

/** `GET /api/trace?id=`: one message's way through all topics, in the order of the plan. */
export interface Trace {
  readonly id: string
  readonly stops: readonly {
    readonly topic: string
    readonly writtenBy: readonly string[]
    readonly message: MessageView
  }[]
  readonly deadLetters: readonly DeadLetterView[]
  readonly searched: Searched
}

/** One of `GET /api/dead-letters/PIPELINE`: the letters with the same step and error. */
export interface DeadLetterGroup {
  readonly step: string
  readonly error: string
  readonly count: number
  readonly newestAtMs: number
  /** The newest fifty. */
  readonly letters: readonly DeadLetterView[]
}

export interface DeadLetterView {
  readonly pipeline: string
  readonly id: string
  readonly step: string
  readonly error: string
  /** What the step said of it. */
  readonly message: string
  readonly tries: number
  readonly atMs: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: unknown
  /** Base64 of the first 4 KiB as they came. */
  readonly raw: string
}

/** `GET /api/dead-letters/PIPELINE`: grouped by step and error, the commonest first. */
export interface DeadLettersPage {
  readonly pipeline: string
  readonly groups: readonly DeadLetterGroup[]
  /** False: there are more than were counted within the bounds of time and number. */
  readonly isComplete: boolean
}

/** The body of `POST /api/dead-letters/PIPELINE/replay` and `/drop`, as JSON. */
export interface DeadLetterOrder {
  /** At most 1,000. */
  readonly ids: readonly string[]
  /** Only of this step; default: of all steps. */
  readonly step?: string
}

/** What it answers. */
export interface DeadLetterResult {
  readonly done: number
  /** Ids of letters of which only the beginning was kept: a replay leaves them where they are. */
  readonly cut: readonly string[]
}

/** `GET /api/models`, by name. `GET /api/models/NAME` answers a `ModelRecord` itself. */
export interface ModelsPage {
  readonly models: readonly ModelSummary[]
}

/** The body of `POST /api/models/NAME/explain`, as JSON. */
export interface ExplainRequest {
  readonly text: string
  /** The number of a version. Default: what the bare name stands for. */
  readonly version?: number
  /** Default: the likeliest. */
  readonly label?: string
  /** How many terms at most. Default 10. */
  readonly top?: number
}

/** What it answers. */
export interface ExplainAnswer extends Explanation {
  readonly model: string
  readonly version: number
}

/** `GET /pipelines/NAME/state/STEP/KEY`, and `GET /pipelines/NAME/state/STEP?from=&limit=`. */
export type { FoundState } from '../pipeline/state-reader.ts'

/** The body of every answer of the API that is not 2xx. */
export interface ApiError {
  readonly code: string
  readonly message: string
}
