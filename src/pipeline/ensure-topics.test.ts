import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kafka, secret, selfManaged } from '../config/index.ts'
import { fail } from '../core/errors.ts'
import type { TopicInfo, TopicSettings } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { type EnsureOptions, ensureTopics } from './ensure-topics.ts'
import { sharedTopics, withOwnMissing } from './own-topics.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { topic } from './topic.ts'
import { clusterOf } from './topic-commands.ts'

const planned = (input: Partial<TopicSettings>, output: Partial<TopicSettings> = {}) =>
  planOf([pipeline('copy').from(topic('in', input)).to(topic('out', output))['~pipeline']])
const cluster = clusterOf(kafka({ brokers: 'b1:9092,b2:9092', replicationFactor: 3 }), 'shop')
const none = () => false

/** What is said of a topic `in` that is there so, and declared otherwise. */
async function saidOf(
  there: Partial<TopicSettings>,
  declared: Partial<TopicSettings>,
  options: EnsureOptions = { cluster },
) {
  const log = createMemoryLog()
  await log.createTopic('in', there)
  const warnings: string[] = []
  const warn = (words: string) => warnings.push(words)
  await ensureTopics(log, planned(declared), { ...options, warn })
  return warnings
}

describe('topics before a run', () => {
  it('are made as declared, and left alone when they are there', async () => {
    const log = createMemoryLog()
    await ensureTopics(log, planned({ partitions: 2, retentionMs: 5 }, { cleanup: 'compact' }))
    const before = await log.topics()
    const settings = before.map(({ name, partitions, cleanup, retentionMs }) => {
      return [name, partitions, cleanup, retentionMs]
    })
    assert.deepEqual(settings.sort(), [
      ['copy.dead-letters', 2, 'compact', undefined],
      ['copy.replay', 2, 'delete', undefined],
      ['in', 2, 'delete', 5],
      ['out', 4, 'compact', undefined],
    ])
    await ensureTopics(log, planned({}), { mayCreate: none })
    assert.deepEqual(await log.topics(), before)
  })

  it('are told all at once where they may not be made, with the commands, and nothing is made', async () => {
    const log = createMemoryLog()
    const plan = planned({ partitions: 8, retentionMs: 60_000 }, { cleanup: 'compact' })
    await assert.rejects(ensureTopics(log, plan, { cluster, mayCreate: none }), {
      code: 'TOPICS_MISSING',
      message: [
        'topics in, out do not exist on b1:9092,b2:9092 (or this user may not see it); let the run make what is missing with --create-topics, or with',
        'kafka-topics.sh --bootstrap-server b1:9092,b2:9092 --create --if-not-exists --topic shop.in --partitions 8 --replication-factor 3 --config cleanup.policy=delete --config max.message.bytes=1052672 --config retention.ms=60000 --config retention.bytes=-1',
        'kafka-topics.sh --bootstrap-server b1:9092,b2:9092 --create --if-not-exists --topic shop.out --partitions 4 --replication-factor 3 --config cleanup.policy=compact --config max.message.bytes=1052672',
      ].join('\n  '),
    })
    assert.deepEqual(await log.topics(), [])
    await log.createTopic('in', { partitions: 8, retentionMs: 60_000 })
    await assert.rejects(ensureTopics(log, plan, { cluster, mayCreate: none }), {
      message: /^topic out does not exist/,
    })
    const mayCreate = ({ name }: { name: string }) => name === 'out'
    await ensureTopics(log, plan, { cluster, mayCreate })
    assert.equal((await log.topic('out'))?.cleanup, 'compact')
  })

  it('that differ without harm are warned of, with both values and the command', async () => {
    const alter = 'kafka-configs.sh --bootstrap-server b1:9092,b2:9092 --alter --entity-type topics'
    const cases: [Partial<TopicSettings>, Partial<TopicSettings>, string[]][] = [
      [{ partitions: 2 }, {}, []],
      [{ partitions: 2 }, { partitions: 2 }, []],
      [
        { partitions: 2 },
        { partitions: 6 },
        ['has partitions 2, the application declares 6: ', '--topic shop.in --partitions 6 (keys'],
      ],
      [{ partitions: 6 }, { partitions: 2 }, ['has partitions 6, ', '; declare partitions: 6']],
      [{}, { retentionMs: 9 }, ['has retentionMs unbounded, ', 'kept longer']],
      [
        { retentionMs: 5 },
        { retentionMs: 9 },
        ['messages go sooner', `${alter} --entity-name shop.in --add-config retention.ms=9`],
      ],
      [{}, { retentionBytes: 7 }, ['kept longer', '--add-config retention.bytes=7']],
      [
        { cleanup: 'compact', retentionMs: 5 },
        { cleanup: 'compact', retentionMs: 6 },
        ['--add-config retention.ms=6'],
      ],
      [{}, { compression: 'zstd' }, ['compression none', '--add-config compression.type=zstd']],
      [{ compression: 'gzip' }, { compression: 'none' }, ['compression.type=producer']],
      [{ maxMessageBytes: 10 }, { maxMessageBytes: 20 }, ['max.message.bytes=4116']],
    ]
    for (const [there, declared, words] of cases) {
      const [said = '', ...more] = await saidOf(there, declared)
      assert.deepEqual(more, [])
      assert.equal(said === '', words.length === 0, said)
      for (const part of words) assert.ok(said.includes(part), `${part} in ${said}`)
    }
    const [fresh] = await saidOf({ partitions: 2 }, { partitions: 6 }, {})
    assert.match(
      fresh!,
      /; change the declaration, or delete the topic \(millrace topics delete in\)/,
    )
  })

  it('stop the run where the pipeline would be wrong, with all reasons', async () => {
    const log = createMemoryLog()
    await log.createTopic('in', { cleanup: 'delete' })
    await log.createTopic('out', { maxMessageBytes: 100 })
    const plan = planned({ cleanup: 'compact' }, { maxMessageBytes: 200 })
    await assert.rejects(ensureTopics(log, plan, { cluster }), {
      code: 'TOPIC_DIFFERS',
      message:
        /^topic in has cleanup delete, the application declares compact: .* cleanup.policy=compact\n {2}topic out has maxMessageBytes 100, the application declares 200: .*dead letters/,
    })
    await assert.rejects(saidOf({ cleanup: 'compact' }, { cleanup: 'delete' }), {
      code: 'TOPIC_DIFFERS',
    })
  })

  it('whose settings the cluster hides are not compared with what is not known', async () => {
    const log = createMemoryLog()
    await log.createTopic('in', { partitions: 3 })
    const shown = log.topic.bind(log)
    log.topic = async (name): Promise<TopicInfo | undefined> => {
      const info = await shown(name)
      return info && { ...info, areSettingsHidden: true }
    }
    const warnings: string[] = []
    const warn = (words: string) => warnings.push(words)
    const plan = planned({ partitions: 4, cleanup: 'compact', retentionMs: 7 })
    await ensureTopics(log, plan, { cluster, warn })
    assert.deepEqual(
      warnings.map((words) => words.slice(0, 26)),
      ['topic in has partitions 3,'],
    )
  })

  it("name Millrace's own, where it may not make them", async () => {
    const log = createMemoryLog()
    const [left, right] = [topic('left', { partitions: 6 }), topic('right', { partitions: 6 })]
    const joined = pipeline('judge').from(left).join('truth', right).to(topic('out'))
    const plan = planOf([joined['~pipeline']])
    const sasl = { mechanism: 'PLAIN', username: 'u', password: secret('P') } as const
    const closed = clusterOf(selfManaged({ brokers: 'b', sasl }), 'shop')
    const error = fail('LOG_FORBIDDEN', 'create topic millrace.start: TOPIC_AUTHORIZATION_FAILED')
    await log.createTopic('millrace.start', { partitions: 1 })
    const told = (await withOwnMissing(error, log, plan, closed)) as Error
    const names = [...told.message.matchAll(/--topic (\S+) --partitions (\d+)/g)]
    const all = sharedTopics((name) => `shop.${name}`).map(({ name }) => [name, '1'])
    assert.deepEqual(
      names.map(([, name, partitions]) => [name, partitions]),
      [
        ...all.filter(([name]) => name !== 'shop.millrace.start'),
        ...[
          ['shop.judge.dead-letters', '6'],
          ['shop.judge.replay', '6'],
          ['shop.judge.truth.changelog', '8'],
        ],
      ],
    )
    assert.match(told.message, /--command-config ADMIN\.properties/)
    const other = fail('LOG_FORBIDDEN', 'group judge: GROUP_AUTHORIZATION_FAILED')
    assert.equal(await withOwnMissing(other, log, plan, closed), other)
  })
})
