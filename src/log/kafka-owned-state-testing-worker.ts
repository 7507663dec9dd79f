/**
 * A process of kafka-owned-state.slow.test.ts: owns a partition of keyed state, changes it by commits,
 * and is killed in the middle of one. Arguments as JSON: see `OwnerOptions`.
 */
import { openKafkaLog } from './kafka.ts'
import type { KafkaCommitStep } from './kafka-transaction.ts'
import { joinAlone } from './log.contract.support.ts'
import type { StateChange } from './log.ts'

export interface OwnerOptions {
  readonly brokers: readonly string[]
  readonly directory: string
  /** Of the store, the group and its only input. */
  readonly name: string
  readonly seed: number
  /** Ends by kill -9 when that step is passed for the `crashAfter`th time. */
  readonly crashStep: KafkaCommitStep
  readonly crashAfter: number
}

const { brokers, directory, name, ...options } = JSON.parse(process.argv[2]!) as OwnerOptions
let passed = 0
const log = await openKafkaLog({
  connection: { brokers, clientId: 'owner' },
  ...{ directory, instance: name, sessionTimeoutMs: 4_000 },
  onStep(step) {
    if (step === options.crashStep && ++passed === options.crashAfter) {
      process.kill(process.pid, 'SIGKILL')
    }
  },
})
const member = await joinAlone(log, name, [{ name, partitions: 1 }])
setInterval(() => void member.heartbeat(), 500)
// What the one before left open is ended, and what it did commit is known.
await log.commit({ outputs: [], member })
const offset = (await log.group(name))?.checkpoints[0]?.offset ?? 0
const state = await log.openState(name, 0, { member })
const counted = Number((await state.get(['count'])).get('count') ?? 0)
if (counted !== offset) throw new Error(`state counts ${counted} commits, the group ${offset}`)

let random = options.seed
const next = (below: number) => {
  random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fff_ffff
  return Math.floor((random / 0x8000_0000) * below)
}

function change(key: string, value: string | null): StateChange {
  return { store: name, partition: 0, key, value: value === null ? null : Buffer.from(value) }
}

/** Several are under way at a time, as a lane has them. */
for (let number = offset + 1; ; number++) {
  const changes = Array.from({ length: 200 }, () => {
    return change(`key ${next(5_000)}`, next(5) === 0 ? null : `${number} ${next(1_000_000)}`)
  })
  const committed = log.commit({
    outputs: [],
    changes: [...changes, change('count', `${number}`)],
    checkpoints: [{ topic: name, partition: 0, offset: number, metadata: '' }],
    member,
  })
  if (number % 3 === 0) {
    await committed
    const seen = Number((await state.get(['count'])).get('count'))
    if (seen < number) throw new Error(`state shows commit ${seen} after ${number}`)
  }
}
