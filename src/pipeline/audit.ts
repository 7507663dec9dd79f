/**
 * The ledger's balance of a pipeline, from what its checkpoints say, and its second check: what is
 * really in the topics between the committed positions.
 */
import { type Clock, systemClock } from '../core/clock.ts'
import type { Checkpoint, GroupInfo, Log } from '../log/log.ts'
import { type CheckpointData, newLedger, parseCheckpoint } from './checkpoint.ts'
import type { Definition } from './definition.ts'
import { isRepartition } from './internal-names.ts'
import { addSaved, column, emptyCounts, readStep, type StepCounts, unaccounted } from './ledger.ts'
import { type PipelinePlan, planOf, sourceTopic } from './plan.ts'

export interface Audit {
  readonly pipeline: string
  /** By step, `read` first. */
  readonly steps: ReadonlyMap<string, StepCounts>
  /** What it took in; messages that go through a topic of its own count once. */
  readonly messages: number
  /** Sentences on what does not balance; none: it is balanced. */
  readonly imbalances: readonly string[]
}

/** So often the audit is made again when something was committed meanwhile: for ten seconds or so. */
const mostTries = 16
const firstWaitMs = 5
const longestWaitMs = 1000

/**
 * Audits what a pipeline has committed so far; an empty group is balanced. Another process may
 * commit while this counts: then it counts again. One that never pauses leaves what the checkpoints
 * say, which is right at any moment.
 */
export async function audit(log: Log, definition: Definition, clock = systemClock): Promise<Audit> {
  const plan = planOf([definition]).pipelines[0]!
  const { audit, isSure } = await tryAudit(log, plan, clock)
  if (isSure) return audit
  const group = await log.group(plan.name)
  return group === undefined ? audit : auditSteps(plan, group)
}

/** What it has counted so far: no topic is read for it, and nobody has to pause. */
export async function auditCounts(log: Log, definition: Definition): Promise<Audit> {
  const plan = planOf([definition]).pipelines[0]!
  return auditSteps(plan, await log.group(plan.name))
}

/**
 * The same from a plan as plain data, told by another process perhaps. Undefined: something was
 * committed in each of several tries, so that what did not balance may have been in flight.
 */
export async function auditOfPlan(
  log: Log,
  plan: PipelinePlan,
  clock = systemClock,
): Promise<Audit | undefined> {
  const { audit, isSure } = await tryAudit(log, plan, clock)
  return isSure ? audit : undefined
}

async function tryAudit(
  log: Log,
  plan: PipelinePlan,
  clock: Clock,
): Promise<{ readonly audit: Audit; readonly isSure: boolean }> {
  for (let tries = 1; ; tries++) {
    const group = await log.group(plan.name)
    const audit = await auditGroup(log, plan, group)
    if (audit.imbalances.length === 0) return { audit, isSure: true }
    const now = await log.group(plan.name)
    const isSure = JSON.stringify(now?.checkpoints) === JSON.stringify(group?.checkpoints)
    if (isSure || tries === mostTries) return { audit, isSure }
    await clock.sleep(Math.min(longestWaitMs, firstWaitMs * 2 ** tries))
  }
}

/**
 * What the steps of a pipeline counted and what of it does not balance, from its checkpoints alone:
 * cheap, and right at any moment. A partition that an older plan worked on last counts from nothing.
 */
export function auditSteps(plan: PipelinePlan, group: GroupInfo | undefined): Audit {
  const imbalances: string[] = []
  const { steps, messages } = ledgerOf(plan, group)
  checkSteps(plan, steps, imbalances)
  return { pipeline: plan.name, steps, messages, imbalances }
}

async function auditGroup(
  log: Log,
  plan: PipelinePlan,
  group: GroupInfo | undefined,
): Promise<Audit> {
  const imbalances: string[] = []
  const { steps, messages, checkpoints, current } = ledgerOf(plan, group)
  if (group !== undefined) {
    checkSteps(plan, steps, imbalances)
    for (const checkpoint of checkpoints) await checkInput(log, plan, checkpoint, imbalances)
    const mayVanish = plan.inputs.some(({ kind }) => kind === 'topics')
    const written = writtenBy(plan, steps, current)
    const lacking = mayLack(plan, steps)
    await checkOutputs(log, group, { written, lacking, mayVanish }, imbalances)
  }
  return { pipeline: plan.name, steps, messages, imbalances }
}

type ParsedCheckpoint = Checkpoint & { readonly data: CheckpointData }

/** The checkpoints of a group, and what they say of this plan, summed by step. */
function ledgerOf(
  plan: PipelinePlan,
  group: GroupInfo | undefined,
): {
  readonly steps: Map<string, StepCounts>
  readonly messages: number
  readonly checkpoints: readonly ParsedCheckpoint[]
  readonly current: readonly CheckpointData[]
} {
  const checkpoints = (group?.checkpoints ?? []).map((one) => {
    const where = `pipeline ${plan.name}, ${one.topic}/${one.partition}`
    return { ...one, data: parseCheckpoint(where, one.metadata) }
  })
  // A partition in which nothing happened since the plan changed still has the old plan's counts.
  const current = checkpoints.map(({ offset, data }) =>
    data.plan === plan.hash || data.plan === '' ? data : newLedger(offset, data),
  )
  const steps = new Map<string, StepCounts>()
  let messages = 0
  for (const [index, data] of current.entries()) {
    addSaved(steps, data.ledger)
    const isOwn = isRepartition(checkpoints[index]!.topic)
    if (!isOwn) messages += data.ledger[readStep]?.[column.in] ?? 0
  }
  return { steps, messages, checkpoints, current }
}

/** One disposition for each message, and on each edge as many out as in. */
function checkSteps(
  plan: PipelinePlan,
  steps: Map<string, StepCounts>,
  imbalances: string[],
): void {
  const names = [readStep, ...plan.steps.map((step) => step.name)]
  const counts = names.map((name) => steps.get(name) ?? emptyCounts())
  counts.forEach((step, index) => {
    const missing = unaccounted(step)
    if (missing !== 0)
      imbalances.push(`step ${names[index]}: ${missing} of ${step.in} messages have no disposition`)
  })
  const enteredLater = counts.reduce((sum, step) => sum + step.entered, 0)
  for (let index = 1; index < counts.length; index++) {
    const before = counts[index - 1]!
    const direct = index === 1 ? before.emitted - enteredLater : before.emitted
    const expected = direct + counts[index]!.entered
    if (expected === counts[index]!.in) continue
    imbalances.push(
      `edge ${names[index - 1]} -> ${names[index]}: ${expected} went out, ${counts[index]!.in} came in`,
    )
  }
}

/** The messages that an input really holds up to its position are those that were read. */
async function checkInput(
  log: Log,
  plan: PipelinePlan,
  checkpoint: ParsedCheckpoint,
  imbalances: string[],
): Promise<void> {
  const { topic, partition, offset, data } = checkpoint
  const read = data.ledger[readStep]?.[0] ?? 0
  const isSource = plan.inputs.some(
    (input) => input.kind === 'source' && sourceTopic(plan, input) === topic,
  )
  if (isSource) {
    const passed = offset - data.from
    if (passed !== read) imbalances.push(`source ${topic}: moved by ${passed}, read ${read}`)
    return
  }
  const info = await log.topic(topic)
  if (info === undefined) return
  const range = await log.offsets(topic, partition)
  // What retention took was there when it was read; what is still there is counted.
  const kept = { start: Math.max(data.from, range.start), end: offset }
  const gone = kept.start - data.from
  const there = await log.count(topic, partition, kept)
  const isCompacted = info.cleanup === 'compact'
  if (there + gone === read || (isCompacted && there + gone <= read)) return
  imbalances.push(
    `input ${topic}/${partition}: ${there + gone} messages up to offset ${offset}, read ${read}`,
  )
}

/** By topic, how many messages the ledger says were written, those before it began included. */
function writtenBy(
  plan: PipelinePlan,
  steps: ReadonlyMap<string, StepCounts>,
  checkpoints: readonly CheckpointData[],
): Map<string, number> {
  const written = new Map<string, number>()
  const add = (topic: string, count: number) =>
    written.set(topic, (written.get(topic) ?? 0) + count)
  for (const { before } of checkpoints) {
    for (const [topic, count] of Object.entries(before ?? {})) add(topic, count)
  }
  for (const { kind, name, step, of = 'passed' } of plan.outputs) {
    if (kind === 'topic') add(name, steps.get(step)?.[of] ?? 0)
  }
  for (const { deadLettered } of steps.values()) add(plan.deadLetters, deadLettered)
  return written
}

/** By topic, how many of those were maybe not: of joins, which count what is late of both sides. */
function mayLack(
  { outputs }: PipelinePlan,
  steps: ReadonlyMap<string, StepCounts>,
): Map<string, number> {
  const lacking = new Map<string, number>()
  for (const { name, step, isOfOneSide } of outputs) {
    if (!isOfOneSide) continue
    lacking.set(name, (lacking.get(name) ?? 0) + (steps.get(step)?.late ?? 0))
  }
  return lacking
}

interface Expected {
  readonly written: ReadonlyMap<string, number>
  readonly lacking: ReadonlyMap<string, number>
  readonly mayVanish: boolean
}

/** What the group committed to its outputs is what the ledger says it wrote. */
async function checkOutputs(
  log: Log,
  group: GroupInfo,
  { written, lacking, mayVanish }: Expected,
  imbalances: string[],
): Promise<void> {
  for (const [topic, expected] of written) {
    const info = await log.topic(topic)
    if (info === undefined) continue
    let there = 0
    for (let partition = 0; partition < info.partitions; partition++) {
      const range = await log.offsets(topic, partition)
      there += await log.count(topic, partition, { start: 0, end: range.end }, { by: group.name })
    }
    // A topic that matched and was deleted took its checkpoint along, and what it wrote stands there.
    const least = expected - (lacking.get(topic) ?? 0)
    if (there < least || (there > expected && !mayVanish))
      imbalances.push(`output ${topic}: ${there} messages there, ${expected} written`)
  }
}
