import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipelineTest } from 'millrace/testing'
import * as app from './app.ts'

const { posts, scored } = app
const post = (uri: string, text: string) => ({
  ...{ uri, text, author: `author of ${uri}`, createdAt: '2025-01-01T00:00:00Z' },
})

describe('examples/live: the pipelines', () => {
  it(
    'keep of a post what is needed, and add its mood',
    pipelineTest(app, async (t) => {
      const post1 = post('at://1', 'I love it 😀')
      t.feed('ingest', { ...post1, language: 'en', languages: ['en'], record: null })
      await t.run()
      await t.expectOutputs(posts, [post1])
      const [first] = await t.outputs(scored)
      const { sentiment, ...kept } = first!
      assert.deepEqual(kept, post1)
      assert.equal(sentiment.label, 'positive')
      assert.ok(sentiment.compound > 0.5)
      assert.deepEqual(
        (await t.messages(scored)).map(({ key, time }) => [key, time]),
        [[post1.author, t.now()]],
      )
    }),
  )

  it(
    'tell moods apart, and leave out what has no words',
    pipelineTest(app, async (t) => {
      await t.push(
        posts,
        ['worst day ever :(', 'see you tomorrow', '12:30 ...', '😀'].map((text, index) =>
          post(`at://${index}`, text),
        ),
      )
      await t.run()
      assert.deepEqual(
        (await t.outputs(scored)).map(({ text, sentiment }) => [text, sentiment.label]),
        [
          ['worst day ever :(', 'negative'],
          ['see you tomorrow', 'neutral'],
          ['😀', 'positive'],
        ],
      )
      assert.equal((await t.ledger(app.score)).steps['has-words']!.filtered, 1)
    }),
  )

  it(
    'score every post once, wherever the process is killed, and bury what is no post',
    pipelineTest(app, async (t) => {
      for (const step of ['prepared', 'written', 'committed'] as const) {
        await t.push(posts, [post(`${step}/1`, 'I love it'), post(`${step}/2`, 'horrible')])
        await t.pushRaw(posts, { uri: step })
        await t.crash(step, { pipeline: 'score' })
        await t.restart()
        await t.run()
        const outputs = await t.outputs(scored)
        assert.deepEqual(
          outputs.map(({ uri, sentiment }) => [uri, sentiment.label]),
          [
            [`${step}/1`, 'positive'],
            [`${step}/2`, 'negative'],
          ],
        )
      }
      const letters = await t.deadLetters('score')
      assert.deepEqual(
        letters.map(({ step, value }) => [step, (value as { uri: string }).uri]).sort(),
        [
          ['read', 'committed'],
          ['read', 'prepared'],
          ['read', 'written'],
        ],
      )
    }),
  )
})
