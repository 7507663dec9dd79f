/** The state of one pipeline, from its group's checkpoints and what processes told. */
import { codeOf, messageOf } from '../core/errors.ts'
import type { GroupInfo } from '../log/log.ts'
import { auditSteps } from '../pipeline/audit.ts'
import { parseCheckpoint } from '../pipeline/checkpoint.ts'
import {
  addSaved,
  emptyCounts,
  readStep,
  type StepCounts,
  unaccounted,
} from '../pipeline/ledger.ts'
import type { PipelinePlan, PlannedStep } from '../pipeline/plan.ts'
import { keptStates, type StateAmount } from './kept-state.ts'
import type { PartitionFacts } from './partition-state.ts'
import type { ProcessBook } from './process-book.ts'
import type { Samples } from './samples.ts'
import type { KeptState, LookupState, PipelineState, StepState } from './state.ts'

export interface PipelineFacts extends PartitionFacts {
  readonly name: string
  readonly nowMs: number
  readonly group: GroupInfo | undefined
  readonly book: ProcessBook
  readonly samples: Samples
  readonly deadLetters: number
  /** What a count in the topics found; see ledger-watch.ts. */
  readonly imbalances: readonly string[]
  /** By store. */
  readonly amounts: ReadonlyMap<string, StateAmount>
}

/** What the checkpoints of a group say. */
export interface PipelineLedger {
  readonly steps: ReadonlyMap<string, StepCounts>
  readonly imbalances: readonly string[]
}

export function pipelineLedger(
  name: string,
  plan: PipelinePlan | null,
  group: GroupInfo | undefined,
): PipelineLedger {
  if (group === undefined) return { steps: new Map(), imbalances: [] }
  try {
    return plan === null ? ledgerWithoutPlan(name, group) : auditSteps(plan, group)
  } catch (error) {
    if (codeOf(error) !== 'CHECKPOINT_UNREADABLE') throw error
    return { steps: new Map(), imbalances: [messageOf(error)] }
  }
}

/** Nobody told which steps there are: each one's own balance can be checked, edges cannot. */
function ledgerWithoutPlan(name: string, group: GroupInfo): PipelineLedger {
  const steps = new Map<string, StepCounts>()
  for (const { topic, partition, metadata } of group.checkpoints) {
    const data = parseCheckpoint(`pipeline ${name}, ${topic}/${partition}`, metadata)
    addSaved(steps, data.ledger)
  }
  const imbalances = [...steps].flatMap(([step, counts]) => {
    const missing = unaccounted(counts)
    const words = `step ${step}: ${missing} of ${counts.in} messages have no disposition`
    return missing === 0 ? [] : [words]
  })
  return { steps, imbalances }
}

export function pipelineState(facts: PipelineFacts, ledger: PipelineLedger): PipelineState {
  const { name, nowMs, group, book } = facts
  const plan = book.plan(name)
  const imbalances = [...new Set([...ledger.imbalances, ...facts.imbalances])]
  return {
    name,
    plan,
    members: group?.members.length ?? 0,
    isPaused: group?.paused ?? false,
    lagMessages: facts.lagMessages,
    lagSeconds: facts.lagSeconds,
    partitions: facts.partitions,
    rebalances: facts.rebalances,
    messagesPerSecond: facts.samples.perSecond(counterName(name, readStep, 'in')),
    latencyMs: book.latency(name, nowMs),
    steps: stepStates(facts, plan, ledger),
    isBalanced: imbalances.length === 0,
    imbalances,
    deadLetters: facts.deadLetters,
    waiting: book.waiting(name, nowMs),
    standby: book.standby(name, nowMs) ?? null,
  }
}

function stepStates(
  { name, book, samples, group, amounts, nowMs }: PipelineFacts,
  plan: PipelinePlan | null,
  ledger: PipelineLedger,
): StepState[] {
  const totals = book.totals(name)
  const kept = keptOf(plan, group, amounts)
  const names = plan === null ? [...ledger.steps.keys()] : plan.steps.map((step) => step.name)
  const ofKind = (wanted: PlannedStep['kind']) =>
    new Set(plan?.steps.filter(({ kind }) => kind === wanted).map((one) => one.name))
  const [predicts, lookups] = [ofKind('predict'), ofKind('lookup')]
  const lookupState = (step: string): LookupState => {
    const { hits = 0, misses = 0 } = totals?.lookups?.[step] ?? {}
    return { hits, misses, entries: book.remembered(name, step, nowMs) }
  }
  return [...new Set([readStep, ...names])].map((step) => ({
    name: step,
    ...(ledger.steps.get(step) ?? emptyCounts()),
    inPerSecond: samples.perSecond(counterName(name, step, 'in')),
    emittedPerSecond: samples.perSecond(counterName(name, step, 'emitted')),
    labels: predicts.has(step) ? (totals?.labels[step] ?? {}) : null,
    busySeconds: totals?.busySeconds[step] ?? null,
    lookup: lookups.has(step) ? lookupState(step) : null,
    kept: kept.get(step) ?? null,
  }))
}

/** What cannot be read is told by the ledger. */
function keptOf(
  plan: PipelinePlan | null,
  ...more: [GroupInfo | undefined, PipelineFacts['amounts']]
): ReadonlyMap<string, KeptState> {
  try {
    return plan === null ? new Map() : keptStates(plan, ...more)
  } catch (error) {
    if (codeOf(error) !== 'CHECKPOINT_UNREADABLE') throw error
    return new Map()
  }
}

/** The name of a counter among the samples. */
export const counterName = (pipeline: string, step: string, column: 'in' | 'emitted' | 'dead') =>
  `${pipeline}/${step}/${column}`

/** Counters of a pipeline to be sampled. */
export function countersOf(name: string, { steps }: PipelineLedger): [string, number][] {
  const own = [...steps].flatMap(([step, counts]): [string, number][] => [
    [counterName(name, step, 'in'), counts.in],
    [counterName(name, step, 'emitted'), counts.emitted],
  ])
  const dead = [...steps.values()].reduce((sum, counts) => sum + counts.deadLettered, 0)
  return [...own, [counterName(name, '', 'dead'), dead]]
}
