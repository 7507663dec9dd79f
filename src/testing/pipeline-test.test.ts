import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type PipelineTest, pipelineTest, type TestedApp } from 'millrace/testing'
import { z } from 'zod'
import { fail } from '../core/errors.ts'
import { classifier, model } from '../pipeline/model-use.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { topic } from '../pipeline/topic.ts'
import { topicsMatching } from '../pipeline/topics-matching.ts'
import { file } from '../sinks/file.ts'
import { generate } from '../sources/generate.ts'

const Mail = z.object({ id: z.string(), text: z.string(), sent: z.coerce.date() })
const mails = topic('mails', { schema: Mail, key: (mail) => mail.id, time: (mail) => mail.sent })
const labels = topic<{ id: string; label: string }>('labels', { key: (label) => label.id })
const scored = topic<{ id: string; spam: { label: string } }>('scored', { key: (mail) => mail.id })
const judged = topic<{ id: string; isRight: boolean }>('judged', { partitions: 1 })

const score = pipeline('score')
  .from(mails)
  .map('checked', (mail) => {
    if (mail.text === '') throw new RangeError('an empty mail')
    return mail
  })
  .predict('spam', classifier('spam-filter', { labels: ['ham', 'spam'] }), {
    input: (mail) => mail.text,
  })
  .map('without-text', ({ id, spam }) => ({ id, spam }))
  .to(scored)

const judge = pipeline('judge')
  .from(scored)
  .join('truth', labels)
  .map('compared', ({ id, spam, truth }) => ({ id, isRight: spam.label === truth.label }))
  .to(judged)

const app = { score, judge, about: 'spam' }
const answer = (text: string) => ({ label: text.includes('win') ? 'spam' : 'ham', score: 0.9 })
const models = { spam: (texts: readonly string[]) => texts.map(answer) }
const sent = '2024-06-01T12:00:00Z'
const mail = (id: string, text: string) => ({ id, text, sent })

const isOnKafka = process.env.MILLRACE_LOG === 'kafka'

/** What a test of that kind says that fails; the test of it fails where it does not. */
async function failureOf(
  run: (t: PipelineTest) => unknown,
  of: TestedApp = app,
  given: object = { models },
): Promise<Error & { readonly code?: string }> {
  try {
    await pipelineTest(of, given, run)()
  } catch (error) {
    return error as Error
  }
  throw new assert.AssertionError({ message: 'the test did not fail' })
}

describe('pipelineTest', () => {
  it(
    'pushes, predicts with a mock, joins, and shows what came of it',
    pipelineTest(app, { models }, async (t) => {
      await t.push(mails, [mail('1', 'win a lot'), mail('2', 'lunch?')])
      await t.push(labels, { id: '2', label: 'spam' }, { time: sent })
      await t.run()
      await t.expectOutputs(scored, [
        { id: '1', spam: { label: 'spam', score: 0.9 } as { label: string } },
        { id: '2', spam: { label: 'ham', score: 0.9 } as { label: string } },
      ])
      await t.expectOutputs(judged, [{ id: '2', isRight: false }])
      await t.push(labels, { id: '1', label: 'spam' })
      await t.expectOutputs(judged, [])
      await t.run()
      await t.expectOutputs(judged, [{ id: '1', isRight: true }])
      assert.deepEqual(await t.messages(judged), [
        {
          ...{ id: 'mails/1+labels/0', key: '2', time: Date.parse(sent), version: 1, partition: 0 },
          value: { id: '2', isRight: false },
        },
        {
          ...{ id: 'mails/0+labels/1', key: '1', time: t.now(), version: 0, partition: 0 },
          value: { id: '1', isRight: true },
        },
      ])
      const { steps, messages, imbalances } = await t.ledger(judge)
      assert.deepEqual([messages, steps.compared!.passed, imbalances], [4, 2, []])
    }),
  )

  it(
    'gives dead letters, of values that do not fit too',
    pipelineTest(app, { models }, async (t) => {
      await t.push(mails, [mail('1', ''), mail('2', 'lunch?')])
      await t.pushRaw(mails, [{ id: 3 }, Buffer.from('no JSON')], { id: undefined })
      await t.run()
      const letters = (await t.deadLetters('score')).sort((a, b) => (a.id < b.id ? -1 : 1))
      assert.deepEqual(
        letters.map(({ id, step, error, value }) => [id, step, error, value]),
        [
          ['mails/0', 'checked', 'RangeError', mail('1', '')],
          ['mails/2', 'read', 'Invalid', { id: 3 }],
          ['mails/3', 'read', 'SyntaxError', 'no JSON'],
        ],
      )
      assert.match(letters[0]!.message, /an empty mail/)
      assert.deepEqual(await t.deadLetters(judge), [])
      assert.equal((await t.outputs('scored')).length, 1)
    }),
  )

  it(
    'feeds sources and catches what sinks get',
    pipelineTest(
      pipeline('keep')
        .from(generate({ name: 'numbers', value: () => ({ index: -1 }) }))
        .map('doubled', ({ index }) => ({ index: 2 * index }))
        .to(file({ path: '/nowhere/to/be/written.ndjson' })),
      async (t) => {
        await t.run()
        assert.deepEqual(t.sunk('keep'), [])
        t.feed('keep', [{ index: 1 }, { index: 2 }])
        await t.run()
        t.feed('keep', { index: 3 }, { key: 'three' })
        await t.run()
        assert.deepEqual(t.sunk('keep'), [{ index: 2 }, { index: 4 }, { index: 6 }])
      },
    ),
  )

  it(
    'takes models as they are where it puts nothing in their place, and those that take their time',
    pipelineTest(
      pipeline('real')
        .from(labels)
        .predict(
          'size',
          model('lengths', { predict: (ids: readonly string[]) => ids.map((id) => id.length) }),
          {
            input: ({ id }) => id,
          },
        )
        .predict('slow', classifier('slow', { labels: ['yes'] }), { input: ({ id }) => id })
        .to(topic('sizes')),
      {
        models: {
          slow: async (ids) => {
            await new Promise((resolve) => setTimeout(resolve, 30))
            return ids.map(() => 'yes')
          },
        },
      },
      async (t) => {
        await t.push(labels, { id: 'four', label: 'x' })
        await t.run()
        await t.expectOutputs('sizes', [{ id: 'four', label: 'x', size: 4, slow: 'yes' }])
      },
    ),
  )

  it('waits by its own clock for a model that is away', async () => {
    let isAway = 3
    const away = (texts: readonly string[]) => {
      if (isAway-- > 0) throw fail('SOURCE_AWAY', 'not now', { waitMs: 60_000 })
      return texts.map(answer)
    }
    const test = pipelineTest(app, { models: { 'spam-filter': away } }, async (t) => {
      await t.push(mails, mail('1', 'win'))
      await t.run()
      assert.equal((await t.outputs(scored)).length, 1)
    })
    // There it would wait in earnest.
    if (!isOnKafka) await test()
  })

  it(
    'pushes to topics that a pattern takes in, new ones too',
    pipelineTest(
      pipeline('all')
        .from(topicsMatching<{ id: string }>(/^labels-.*$/, { refreshMs: 200 }))
        .to(topic('judged')),
      async (t) => {
        await t.push('labels-new', { id: '1' })
        await t.run()
        await t.push('labels-newer', { id: '2' }, { time: t.now() + 1 })
        await t.run()
        assert.deepEqual(
          (await t.outputs('judged')).map((one) => (one as { id: string }).id),
          ['1', '2'],
        )
      },
    ),
  )

  it('takes an application by its file', async () => {
    const url = new URL('../../examples/live/app.ts', import.meta.url)
    await pipelineTest(url, async (t) => {
      const [author, text, createdAt, uri] = ['ann', 'I love it', sent, 'at://1']
      await t.push('posts', { author, text, createdAt, uri })
      await t.run()
      const [post] = (await t.outputs('posts.scored')) as { sentiment: { label: string } }[]
      assert.equal(post!.sentiment.label, 'positive')
    })()
    const error = await failureOf(() => undefined, './no-such-app.ts', {})
    assert.equal(error.code, 'APP_UNUSABLE')
    assert.match((await failureOf(() => undefined, { mails }, {})).message, /given mails, but no/)
  })

  it('says what is wrong with what it is asked', async () => {
    const wrong: [RegExp, (t: PipelineTest) => unknown][] = [
      [
        /no pipeline of this test reads a topic 'mail'; did you mean 'mails'/,
        (t) => t.push('mail', {}),
      ],
      [/reads a topic 'judged'; these are read: mails, scored, labels/, (t) => t.push(judged, [])],
      [/has a topic 'score'; did you mean 'scored'/, (t) => t.outputs('score')],
      [
        /value 1 does not fit its schema: text: .*it is \{"id":"2"/,
        (t) => t.push('mails', [mail('1', 'a'), { id: '2', sent }]),
      ],
      [
        /it has the partitions 0 to 3, and no 7/,
        (t) => t.push(mails, mail('1', 'a'), { partition: 7 }),
      ],
      [
        /the time "noon" is no date/,
        (t) => t.push(labels, { id: '', label: '' }, { time: 'noon' }),
      ],
      [
        /there is no pipeline 'scores' in this test; did you mean 'score'/,
        (t) => t.ledger('scores'),
      ],
      [/pipeline score reads no source/, (t) => t.feed('score', 1)],
      [/there is no step 'compare'; did you mean 'compared'/, (t) => t.late(judge, 'compare')],
      [
        /a commit has no step 'begun'; there are prepared, written, committed/,
        (t) => t.crash('begun' as 'written'),
      ],
      [
        /commit 1 of judge did not come to 'written': all is worked off/,
        (t) => t.crash('written', { pipeline: judge }),
      ],
    ]
    for (const [words, run] of wrong) assert.match((await failureOf(run)).message, words)
    const unknown = await failureOf(() => 0, app, { models: { spma: () => [] } })
    assert.match(unknown.message, /no step predicts with 'spma'.*did you mean 'spam'/)
    const unmocked = await failureOf(() => 0, app, {})
    assert.equal(unmocked.code, 'MODEL_UNKNOWN')
    assert.match(
      unmocked.message,
      /step 'spam'.*pipelineTest\(app, \{ models: \{ 'spam': \(inputs\)/,
    )
    assert.throws(() => pipelineTest(app, { model: 1 } as object, () => 0), /did you mean 'models'/)
    const log = await failureOf(() => 0, app, { models, log: 'pulsar' })
    assert.match(log.message, /option 'log': there is no log 'pulsar'/)
  })

  it('shows what is in a topic, and where the rest went, when it is not what was expected', async () => {
    const { message } = await failureOf(async (t) => {
      await t.push(mails, [mail('1', 'win'), mail('2', '')])
      await t.run()
      await t.expectOutputs(scored, [])
    })
    assert.match(message, /what came to topic scored is not what was expected; it holds 1 message:/)
    assert.match(message, /2024-06-01T12:00:00.000Z {2}key 1 {2}id mails\/0 {2}\{"id":"1","spam":/)
    assert.match(message, /score, step checked, id mails\/1: RangeError: an empty mail/)
    assert.match(message, /pipeline score took in 2; checked: 1 dead letters/)
    assert.match(message, /\+ +label: 'spam'/)
  })

  it('fails where a pipeline stops and where its function throws', async () => {
    const stopping = pipeline('stopping')
      .from(labels)
      .map('later', async (label) => label)
      .to(topic('never'))
    const stopped = await failureOf(
      async (t) => {
        await t.push(labels, { id: '1', label: 'x' })
        await t.run()
      },
      stopping,
      {},
    )
    assert.equal(stopped.code, 'STEP_ASYNCHRONOUS')
    const silent = { predict: () => new Promise<never>(() => {}) }
    const round = topic<{ id: string; spam: { label: string } }>('round')
    const endless = [
      pipeline('stuck')
        .from(labels)
        .predict('x', model('silent', silent), { input: ({ id }) => id })
        .to(topic('never')),
      pipeline('there').from(scored).to(round),
      pipeline('back').from(round).to(scored),
    ]
    const patience = isOnKafka ? '3s' : '20ms'
    const stuck = ['labels', /not worked off is .*stuck: labels\/\d read to 0 of [12]/] as const
    const going = /not worked off is .*(there: scored|back: round)\/\d read to \d+ of \d+/
    // On Kafka two topics are not looked at in one moment: what goes round may seem to be done.
    for (const [name, words] of isOnKafka ? [stuck] : [stuck, ['scored', going] as const]) {
      const run = async (t: PipelineTest) => {
        await t.push(name, { id: '1' })
        await t.run()
      }
      const { code, message } = await failureOf(run, endless, { patience })
      assert.equal(code, 'TEST_STUCK', message)
      assert.match(message, words)
    }
    const own = await failureOf(() => {
      throw new Error('of its own')
    })
    assert.equal(own.message, 'of its own')
  })
})
