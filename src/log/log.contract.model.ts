/**
 * A randomised law of the log: whatever sequence of commits, refused commits, deletions and restarts,
 * a log holds in the end what the in-memory one holds.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import type { OpenLog } from './log.contract.support.ts'
import { joinAlone, output, readAll, type Sent, settle } from './log.contract.support.ts'
import type { Commit, Compression, Log, Membership } from './log.ts'
import { createMemoryLog } from './memory.ts'

type Command =
  | {
      readonly kind: 'commit'
      readonly outputs: readonly { topic: string; partition: number; messages: readonly Sent[] }[]
      readonly changes: readonly { key: string; partition: number; value: string | null }[]
      /** Undefined: committed by nobody. */
      readonly checkpoint: number | undefined
    }
  | { readonly kind: 'remake'; readonly topic: string; readonly compression: Compression }
  | { readonly kind: 'rejoin' }
  | { readonly kind: 'reopen' }

const topics = ['a', 'b']
const maxMessageBytes = 200
const inputs = [{ name: 'splits', partitions: 2 }]

const partition = fc.nat({ max: 1 })
const topic = fc.constantFrom(...topics)
const text = fc.string({ maxLength: 12, unit: 'grapheme' })
const message: fc.Arbitrary<Sent> = fc.record({
  key: fc.option(text, { nil: null }),
  value: fc.option(fc.oneof({ weight: 30, arbitrary: text }, fc.constant('x'.repeat(300))), {
    nil: null,
  }),
  time: fc.integer({ min: -1e12, max: 2e12 }),
})

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      outputs: fc.array(
        fc.record({ topic, partition, messages: fc.array(message, { maxLength: 6 }) }),
        { maxLength: 3 },
      ),
      changes: fc.array(
        fc.record({
          key: fc.constantFrom('k', 'l', 'm'),
          partition,
          value: fc.option(text, { nil: null }),
        }),
        { maxLength: 3 },
      ),
      checkpoint: fc.option(fc.nat({ max: 1000 }), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('remake' as const),
      topic,
      compression: fc.constantFrom<Compression>('none', 'gzip', 'snappy', 'lz4', 'zstd'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'rejoin' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
)

/** One of the two logs, and the only member of its group. */
interface Side {
  log: Log
  member: Membership
  readonly reopen: (() => Promise<Log>) | undefined
}

/** Runs one command; the answer is what both sides must agree on. */
async function run(side: Side, command: Command): Promise<unknown> {
  switch (command.kind) {
    case 'commit':
      return side.log.commit(commitOf(side, command)).then(
        () => 'done',
        (error) => codeOf(error) ?? Promise.reject(error),
      )
    case 'remake': {
      await side.log.deleteTopic(command.topic)
      const { compression } = command
      await side.log.createTopic(command.topic, { partitions: 2, maxMessageBytes, compression })
      return
    }
    case 'rejoin':
      await side.member.leave()
      side.member = await joinAlone(side.log, 'group', inputs)
      return
    case 'reopen':
      await side.member.leave()
      if (side.reopen !== undefined) side.log = await side.reopen()
      side.member = await joinAlone(side.log, 'group', inputs)
  }
}

function commitOf(side: Side, command: Command & { kind: 'commit' }): Commit {
  const outputs = command.outputs.map((one) => output(one.topic, one.partition, one.messages))
  const changes = command.changes.map(({ key, partition, value }) => {
    return { store: 'store', partition, key, value: value === null ? null : Buffer.from(value) }
  })
  if (command.checkpoint === undefined) return { outputs, changes }
  const offset = command.checkpoint
  const checkpoints = [{ topic: 'splits', partition: offset % 2, offset, metadata: `at ${offset}` }]
  return { outputs, changes, checkpoints, member: side.member }
}

/** All that can be read, but for offsets and identities, in which logs may differ. */
async function contentOf(log: Log): Promise<unknown> {
  const partitions = topics.flatMap((name) => [0, 1].map((number) => ({ name, number })))
  const messages = partitions.map(async ({ name, number }) => {
    const seen = await readAll(log, name, number)
    const range = await log.offsets(name, number)
    const counts = [
      await log.count(name, number, range),
      await log.count(name, number, range, { by: 'group' }),
    ]
    const found = await log.offsetAtTime(name, number, 1e12)
    const rank = seen.findIndex(({ offset }) => offset >= found)
    return [seen.map(({ key, value, time }) => [key, value, time]), counts, rank]
  })
  const state = [0, 1].map(async (number) => {
    const values = await log.state('store', number, ['k', 'l', 'm'])
    return [...values].map(([key, value]) => `${key}=${value}`).toSorted()
  })
  const checkpoints = [...((await log.group('group'))?.checkpoints ?? [])]
  checkpoints.sort((a, b) => a.partition - b.partition)
  return { messages: await Promise.all(messages), state: await Promise.all(state), checkpoints }
}

async function prepare(log: Log, reopen: Side['reopen']): Promise<Side> {
  for (const name of topics) await log.createTopic(name, { partitions: 2, maxMessageBytes })
  return { log, member: await joinAlone(log, 'group', inputs), reopen }
}

export function logModelTest(name: string, open: OpenLog, runs = 50): void {
  describe(`contract: log/${name}, model`, () => {
    it('holds what the in-memory log holds, whatever was done', () =>
      fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 25 }), async (commands) => {
          const setup = await open()
          try {
            const expected = await prepare(createMemoryLog(), undefined)
            const actual = await prepare(setup.log, setup.reopen)
            for (const one of commands) {
              const answer = await run(actual, one)
              assert.deepEqual(answer, await run(expected, one), `answer to ${one.kind}`)
            }
            await settle(actual.member)
            assert.deepEqual(await contentOf(actual.log), await contentOf(expected.log))
          } finally {
            await setup.close()
          }
        }),
        { numRuns: runs },
      ))
  })
}
