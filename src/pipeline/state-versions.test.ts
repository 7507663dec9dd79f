/** Two versions of an application after each other: state of a user's own is brought along, or refused. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf, messageOf } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import type { Json } from '../transforms/aggregator.ts'
import { count } from '../transforms/aggregators.ts'
import { tumbling } from '../transforms/window.ts'
import { pipeline } from './pipeline.ts'
import { StateReader } from './state-reader.ts'
import { appendAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Visit {
  readonly page: string
}

const visits = topic<Visit>('visits', { partitions: 1 })
const says = topic('says', { partitions: 1 })
const fresh = async () => {
  const log = await newLog()
  await log.createTopic('visits', { partitions: 1 })
  return log
}
const visit = (log: Log, page: string, key: string, time = 1000) =>
  appendAll(log, 'visits', [{ partition: 0, key, time, value: { page } }])

/** Version 1 counts, version 2 keeps pages, version 3 keeps them as one text. */
const first = pipeline('seen')
  .from(visits)
  .keyBy()
  .process('pages', { start: () => ({ n: 0 }), message: (state) => ({ says: ++state.n }) })
  .to(says)

const second = (migrate?: (state: { n: number }, from: number) => { pages: string[] }) =>
  pipeline('seen')
    .from(visits)
    .keyBy()
    .process('pages', {
      start: () => ({ pages: [] as string[] }),
      message: (state, { page }) => ({ says: state.pages.push(page) }),
      ...{ version: 2, ...(migrate === undefined ? {} : { migrate }) },
    })
    .to(says)

const brought = second(({ n }) => ({ pages: Array.from({ length: n }, (_, at) => `old-${at}`) }))

const third = pipeline('seen')
  .from(visits)
  .keyBy()
  .process('pages', {
    start: () => '',
    message: (state) => ({ says: state }),
    version: 3,
    migrate: (state: never, from) =>
      from === 1
        ? `${(state as { n: number }).n} times`
        : (state as { pages: string[] }).pages.join(),
  })
  .to(says)

const isCode = (code: string, words: RegExp) => (error: unknown) => {
  assert.equal(codeOf(error), code, messageOf(error))
  assert.match(messageOf(error), words)
  return true
}

describe('state of a user, from version to version', () => {
  it('is brought along when its key is read, however old it is', async () => {
    const log = await fresh()
    for (const key of ['ann', 'ann', 'ben', 'cat']) await visit(log, 'home', key)
    await runUntilCaughtUp(log, [first])
    await visit(log, 'new', 'ann')
    await runUntilCaughtUp(log, [brought])
    assert.deepEqual((await readValues(log, 'says')).at(-1), { says: 3 })
    const values = async (of: typeof brought) => {
      const { entries } = await new StateReader(log, [of['~pipeline']]).scan('seen', 'pages', {
        limit: 9,
      })
      return entries.map(({ key, value }) => [key, value])
    }
    assert.deepEqual(await values(brought), [
      ['ann', { pages: ['old-0', 'old-1', 'new'] }],
      ['ben', { pages: ['old-0'] }],
      ['cat', { pages: ['old-0'] }],
    ])
    await visit(log, 'again', 'ben')
    await visit(log, 'again', 'ann')
    await runUntilCaughtUp(log, [third])
    assert.deepEqual((await readValues(log, 'says')).slice(-2), [
      { says: '1 times' },
      { says: 'old-0,old-1,new' },
    ])
    await log.close()
  })

  it('is refused by an older version, and by a newer one that does not say how', async () => {
    const log = await fresh()
    await visit(log, 'home', 'ann')
    await runUntilCaughtUp(log, [first])
    const older = /version 1, the step now says 2 .* give it migrate/
    await visit(log, 'home', 'ann')
    await assert.rejects(runUntilCaughtUp(log, [second()]), isCode('STATE_DIFFERS', older))
    // Nothing of the newer one was written: the older goes on.
    await runUntilCaughtUp(log, [first])
    await visit(log, 'home', 'ben')
    await runUntilCaughtUp(log, [brought])
    await visit(log, 'home', 'ann')
    const newer = /a newer version .* wrote it \(version 2, this one knows 1\)/
    await assert.rejects(runUntilCaughtUp(log, [first]), isCode('STATE_DIFFERS', newer))
    await runUntilCaughtUp(log, [brought])
    assert.deepEqual(
      (await readValues(log, 'says')).map((one) => (one as { says: number }).says),
      [1, 2, 1, 3],
    )
    await log.close()
  })

  it('stops where migrate throws, changes nothing, and goes on once it is right', async () => {
    const log = await fresh()
    await visit(log, 'home', 'ann')
    await runUntilCaughtUp(log, [first])
    await visit(log, 'home', 'ann')
    const wrong = second(() => {
      throw new Error('not yet written')
    })
    const threw = /state of seen\.pages: entry k\/ann of form 1 .*: not yet written/
    await assert.rejects(runUntilCaughtUp(log, [wrong]), isCode('STATE_MIGRATION_FAILED', threw))
    const nothing = second(() => undefined as never)
    const gave = /migrate gave a undefined/
    await assert.rejects(runUntilCaughtUp(log, [nothing]), isCode('STATE_MIGRATION_FAILED', gave))
    await runUntilCaughtUp(log, [brought])
    assert.deepEqual(await readValues(log, 'says'), [{ says: 1 }, { says: 2 }])
    await log.close()
  })

  it('is brought along in windows: of reduce, and of an aggregator of its own', async () => {
    const log = await fresh()
    const windowed = (version: number) =>
      pipeline('windowed')
        .from(visits)
        .keyBy()
        .window(tumbling('1m'))
        .aggregate('all', (over) => {
          const doubled = { ...count(), name: 'doubled', version }
          const migrate = (saved: Json) => Number(saved) * 100
          const own = version === 1 ? doubled : { ...doubled, migrate }
          return { visits: over.count(), own: over.with(own, () => 1) }
        })
    const reduced = (options: object) =>
      pipeline('reduced')
        .from(visits)
        .keyBy()
        .window(tumbling('1m'))
        .reduce('longest', (one, other) => (other.page > one.page ? other : one), options)
    await visit(log, 'a', 'ann')
    const [counts, values] = [topic('counts'), topic('values')]
    await runUntilCaughtUp(log, [windowed(1).to(counts), reduced({}).to(values)])
    await visit(log, 'a', 'ann')
    await visit(log, 'z', 'ann', 60_000)
    const renamed = { version: 2, migrate: ({ page }: Visit) => ({ page: `${page}, kept` }) }
    await runUntilCaughtUp(log, [windowed(2).to(counts), reduced(renamed).to(values)])
    const [counted] = (await readValues(log, 'counts')) as object[]
    assert.partialDeepStrictEqual(counted, { visits: 2, own: 101 })
    const [value] = (await readValues(log, 'values')) as object[]
    assert.partialDeepStrictEqual(value, { value: { page: 'a, kept' } })
    await log.close()
  })

  it('of a window that reckons more is refused, in words', async () => {
    const log = await fresh()
    const windowed = (isMore: boolean) =>
      pipeline('more')
        .from(visits)
        .keyBy()
        .window(tumbling(isMore ? '2m' : '1m'))
        .aggregate('all', (over) => ({
          visits: over.count(),
          ...(isMore ? { pages: over.distinct(({ page }) => page) } : {}),
        }))
        .to(topic('counts'))
    await visit(log, 'a', 'ann')
    await runUntilCaughtUp(log, [windowed(false)])
    await visit(log, 'a', 'ann')
    const more =
      /sizeMs was 60000 and is now 120000, it now also reckons 'pages' \(distinct.*\); undo/
    await assert.rejects(runUntilCaughtUp(log, [windowed(true)]), isCode('STATE_DIFFERS', more))
    await log.close()
  })

  it('asks for a version with migrate', () => {
    const options = { start: () => 0, message: () => 1, migrate: () => 0 }
    const made = () => pipeline('p').from(visits).keyBy().process('s', options)
    assert.throws(made, isCode('OPTIONS_INVALID', /raise 'version'/))
  })
})
