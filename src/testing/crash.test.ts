import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CrashStep, type PipelineTest, pipelineTest } from 'millrace/testing'
import { classifier } from '../pipeline/model-use.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { topic } from '../pipeline/topic.ts'
import { file } from '../sinks/file.ts'
import { generate } from '../sources/generate.ts'
import { tumbling } from '../transforms/window.ts'

interface Post {
  readonly author: string
  readonly likes: number
}
const posts = topic<Post>('posts', { key: (post) => post.author, partitions: 2 })
const names = topic<{ full: string }>('names', { partitions: 2 })
const named = topic<Post & { name: { full: string } }>('named', { partitions: 2 })
const moods = topic<unknown>('moods', { partitions: 1 })
const counts = topic<unknown>('counts', { partitions: 1 })

const app = {
  enter: pipeline('enter')
    .from(generate({ name: 'posts', value: (): Post => ({ author: '', likes: 0 }) }))
    .to(posts),
  name: pipeline('name').from(posts).join('name', names).to(named),
  mood: pipeline('mood')
    .from(named)
    .map('checked', (post) => {
      if (post.likes < 0) throw new RangeError('likes below 0')
      return post
    })
    .predict('mood', classifier('mood', { labels: ['good', 'bad'] }), {
      input: (post) => post.author,
    })
    .to(moods),
  count: pipeline('count')
    .from(named)
    .keyBy((post) => post.name.full)
    .window(tumbling('1m'))
    .aggregate('per-minute', (over) => ({
      posts: over.count(),
      likes: over.sum((post) => post.likes),
    }))
    .to(counts),
  keep: pipeline('keep')
    .from(counts)
    .to(file({ path: '/nowhere/to/be/written.ndjson' })),
}
const models = { mood: (authors: readonly string[]) => authors.map((one) => `${one} is good`) }
const steps: readonly CrashStep[] = ['prepared', 'written', 'committed']

/** Runs a life in which the process may die where `work` lets things be worked off. */
async function outcomeOf(t: PipelineTest, work: (t: PipelineTest) => Promise<void>) {
  const authors = ['ann', 'ben', 'cat']
  for (let minute = 0; minute < 3; minute++) {
    const time = t.now() + minute * 60_000
    const all = authors.map((author, index) => ({ author, likes: index === 2 ? -1 : minute }))
    t.feed('enter', all, { time })
    for (const author of authors) {
      await t.push(names, { full: `${author}-${author.length}` }, { key: author, time })
    }
    await work(t)
  }
  await t.advance('5m')
  const values = async (name: string) =>
    (await t.messages(name)).map(({ id, value }) => [id, value])
  const letters = await t.deadLetters('mood')
  const all = {
    named: await values('named'),
    moods: await values('moods'),
    counts: await values('counts'),
    kept: t.sunk('keep'),
    dead: letters.map(({ id, step, tries }) => [id, step, tries]),
  }
  for (const list of Object.values(all)) {
    list.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
  }
  return all
}

describe('crashes in pipelineTest', () => {
  it('leave no trace in what comes out, at each step and in each pipeline', async () => {
    let whole: unknown
    await pipelineTest(app, { models }, async (t) => {
      const outcome = await outcomeOf(t, (one) => one.run())
      assert.deepEqual([outcome.named.length, outcome.moods.length], [9, 6])
      assert.deepEqual([outcome.dead.length, outcome.counts.length, outcome.kept.length], [3, 9, 9])
      whole = outcome
    })()
    const names = process.env.MILLRACE_LOG === 'kafka' ? ['count'] : ['enter', 'count']
    for (const [step, name] of steps.flatMap((one) =>
      names.map((other) => [one, other] as const),
    )) {
      let crashes = 0
      const test = pipelineTest(app, { models }, async (t) => {
        const outcome = await outcomeOf(t, async () => {
          if (crashes < 2) {
            await t.crash(step, { pipeline: name })
            crashes++
            await assert.rejects(t.run(), { message: /was killed; t.restart\(\) it first/ })
            await t.restart()
          }
          await t.run()
        })
        assert.deepEqual(outcome, whole, `${step} of ${name}`)
      })
      await test()
      assert.equal(crashes, 2)
    }
  })

  it('come before or behind what is decided', async () => {
    const seen: unknown[] = []
    for (const step of steps) {
      await pipelineTest(app, { models }, async (t) => {
        await t.push(posts, [{ author: 'ann', likes: 1 }])
        await t.push(names, { full: 'Ann' }, { key: 'ann' })
        await t.crash(step, { pipeline: 'name', nth: 2 })
        seen.push((await t.outputs(named)).length)
        await t.restart()
        await t.run()
        seen.push((await t.outputs(named)).length)
      })()
    }
    assert.deepEqual(seen, [0, 1, 0, 1, 1, 0])
  })
})
