/**
 * The ledger's balance of a pipeline, from what its checkpoints say, and its second check: what is
 * really in the topics between the committed positions.
 */
import type { GroupInfo, Log } from '../log/log.ts'
import { type CheckpointData, newLedger, parseCheckpoint } from './checkpoint.ts'
import { deadLetterTopic } from './dead-letters.ts'
import type { Definition } from './definition.ts'
import { addSaved, emptyCounts, readStep, type StepCounts, unaccounted } from './ledger.ts'
import { planOf, sourceTopic } from './plan.ts'

export interface Audit {
  readonly pipeline: string
  /** By step, `read` first. */
  readonly steps: ReadonlyMap<string, StepCounts>
  /** Sentences on what does not balance; none: it is balanced. */
  readonly imbalances: readonly string[]
}

/** So often the audit is made again when something was committed meanwhile. */
const mostTries = 5

/**
 * Audits what a pipeline has committed so far; an empty group is balanced. Another process may
 * commit while this counts: then it counts again.
 */
export async function audit(log: Log, definition: Definition): Promise<Audit> {
  for (let tries = 1; ; tries++) {
    const group = await log.group(definition.name)
    const found = await auditGroup(log, definition, group)
    if (found.imbalances.length === 0 || tries === mostTries) return found
    const now = await log.group(definition.name)
    if (JSON.stringify(now?.checkpoints) === JSON.stringify(group?.checkpoints)) return found
  }
}

async function auditGroup(
  log: Log,
  definition: Definition,
  group: GroupInfo | undefined,
): Promise<Audit> {
  const steps = new Map<string, StepCounts>()
  const imbalances: string[] = []
  const planHash = planOf([definition]).pipelines[0]!.hash
  const checkpoints = (group?.checkpoints ?? []).map((one) => {
    const where = `pipeline ${definition.name}, ${one.topic}/${one.partition}`
    return { ...one, data: parseCheckpoint(where, one.metadata) }
  })
  // A partition in which nothing happened since the plan changed still has the old plan's counts.
  const current = checkpoints.map(({ offset, data }) =>
    data.plan === planHash || data.plan === '' ? data : newLedger(offset, data),
  )
  for (const data of current) addSaved(steps, data.ledger)
  if (group !== undefined) {
    checkSteps(definition, steps, imbalances)
    for (const checkpoint of checkpoints) await checkInput(log, definition, checkpoint, imbalances)
    await checkOutputs(log, group, writtenBy(definition, steps, current), imbalances)
  }
  return { pipeline: definition.name, steps, imbalances }
}

/** One disposition for each message, and on each edge as many out as in. */
function checkSteps(
  definition: Definition,
  steps: Map<string, StepCounts>,
  imbalances: string[],
): void {
  const names = [readStep, ...definition.steps.map((step) => step.name)]
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
  definition: Definition,
  checkpoint: { topic: string; partition: number; offset: number; data: CheckpointData },
  imbalances: string[],
): Promise<void> {
  const { topic, partition, offset, data } = checkpoint
  const read = data.ledger[readStep]?.[0] ?? 0
  const isSource = definition.inputs.some(
    (input) => input.kind === 'source' && sourceTopic(definition, input) === topic,
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
  definition: Definition,
  steps: ReadonlyMap<string, StepCounts>,
  checkpoints: readonly CheckpointData[],
): Map<string, number> {
  const written = new Map<string, number>()
  const add = (topic: string, count: number) =>
    written.set(topic, (written.get(topic) ?? 0) + count)
  for (const { before } of checkpoints) {
    for (const [topic, count] of Object.entries(before ?? {})) add(topic, count)
  }
  for (const step of definition.steps) {
    if (step.kind !== 'to' || step.target.kind !== 'topic') continue
    add(step.target.topic.name, steps.get(step.name)?.passed ?? 0)
  }
  for (const { deadLettered } of steps.values()) {
    add(deadLetterTopic(definition.name), deadLettered)
  }
  return written
}

/** What the group committed to its outputs is what the ledger says it wrote. */
async function checkOutputs(
  log: Log,
  group: GroupInfo,
  written: ReadonlyMap<string, number>,
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
    if (there !== expected)
      imbalances.push(`output ${topic}: ${there} messages there, ${expected} written`)
  }
}
