import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { codeOf } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import { isPipeline } from '../pipeline/definition.ts'
import { appendAll, readAll, runUntilCaughtUp } from '../pipeline/testing.ts'
import { readLabelled, readRows } from '../training/data.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { featuresCommand } from './features.ts'

const source = (path: string) => JSON.stringify(new URL(`../${path}`, import.meta.url).href)

const app = (over: string) => `
import { pipeline } from ${source('pipeline/pipeline.ts')}
import { rolling } from ${source('pipeline/rolling-feature.ts')}
import { topic } from ${source('pipeline/topic.ts')}
const payments = topic('payments')
const labels = topic('labels')
export const score = pipeline('score').from(payments)
  .add({
    spent: rolling.sum('amount', { over: '${over}' }),
    risk: rolling.mean('fraud', { by: 'terminal', over: '1d', delay: '1m', from: labels }),
  })
  .map('judged', (payment) => ({ ...payment, suspicious: payment.risk > 0.5 }))
  .to(topic('scored'))
export const plain = pipeline('plain').from(payments).to(topic('plain'))
`

const minute = 60_000
const startMs = Date.UTC(2026, 0, 1)

describe('millrace features', () => {
  let shop: Workshop
  let file: string
  let exitCode = 0
  const setExitCode = (code: number) => {
    exitCode = code
  }
  const run = (...words: string[]) => {
    exitCode = 0
    return shop.run(featuresCommand(setExitCode, shop.context), ...words)
  }
  const path = (name: string) => join(shop.directory, name)
  const label = (log: Log, numbers: readonly number[], fraud: number) =>
    appendAll(
      log,
      'labels',
      numbers.map((number) => {
        const value = { payment: number, terminal: `t${number % 2}`, fraud }
        return { time: startMs + number * minute, value }
      }),
    )

  before(async () => {
    shop = await openWorkshop()
    file = path('app.ts')
    writeFileSync(file, app('10m'))
    writeFileSync(path('other.ts'), app('11m'))
    await shop.log(async (log) => {
      await log.createTopic('payments', { partitions: 1 })
      await log.createTopic('labels', { partitions: 1 })
      await label(log, [0, 1, 2, 3], 1)
      await appendAll(
        log,
        'payments',
        Array.from({ length: 30 }, (_, number) => {
          const value = { number, terminal: `t${number % 2}`, amount: number / 4 }
          return { key: 'k', time: startMs + number * minute, value }
        }),
      )
      const { score } = (await import(file)) as Record<string, unknown>
      assert.ok(isPipeline(score))
      await runUntilCaughtUp(log, [score])
    })
  })

  after(() => shop.close())

  test('writes what was known of each message, with its label, in a form that training reads', async () => {
    const words = ['export', file, 'score', '--labels', 'labels', '--label', 'fraud']
    const on = ['--on', 'number=payment', '--label-delay', '5m', '--otherwise', '0']
    const output = ['--output', path('rows.parquet'), '--json']
    const told = JSON.parse(await run(...words, ...on, ...output))
    assert.deepEqual(told, {
      ...{ rows: 25, features: ['spent', 'risk'], messages: 30, late: 0, deadLetters: 0 },
      ...{ before: 'to-scored', labelled: 4, otherwise: 21, young: 5, unlabelled: 0 },
    })
    const rows = await Array.fromAsync(readRows(path('rows.parquet')), ({ values }) => ({
      ...values,
    }))
    assert.equal(rows.length, 25)
    assert.deepEqual(rows[3], {
      ...{ number: 3, terminal: 't1', amount: 0.75, spent: 1.5, risk: 1 },
      ...{ suspicious: true, fraud: 1 },
    })
    assert.deepEqual([rows[24]!.risk, rows[24]!.fraud, rows[0]!.risk], [1, 0, null])
    const reading = { text: 'terminal', label: 'fraud' }
    const { labels } = await readLabelled(path('rows.parquet'), reading)
    assert.deepEqual(labels.slice(2, 6), ['1', '1', '0', '0'])
    assert.deepEqual(
      readdirSync(shop.directory).filter((name) => name.includes('.part')),
      [],
    )
    await run('export', file, 'score', '--output', path('all.ndjson'), '--before', 'judged')
    const all = await Array.fromAsync(readRows(path('all.ndjson')))
    assert.deepEqual([all.length, 'suspicious' in all[0]!.values], [30, false])
    assert.match(shop.said.join(' '), /all.ndjson: 30 rows with spent, risk, of 30 messages/)
  })

  test('finds no difference where there is none', async () => {
    const skew = JSON.parse(await run('skew', file, 'score', '--json'))
    assert.equal(exitCode, 0)
    assert.deepEqual(skew, {
      ...{ pipeline: 'score', logged: 'scored', maxShare: 0, compared: 30, unknown: 0 },
      features: ['spent', 'risk'].map((feature) => ({
        ...{ feature, differing: 0, share: 0, largest: null, examples: [] },
      })),
    })
  })

  test('finds a definition that is another one now', async () => {
    const { features } = JSON.parse(await run('skew', path('other.ts'), 'score', '--json'))
    assert.equal(exitCode, 1)
    const [spent, risk] = features
    // From 11 minutes on there is one message more, of ten minutes before, with an amount above 0.
    const { differing, share, largest } = spent
    assert.deepEqual(
      { differing, share, largest },
      { differing: 19, share: 19 / 30, largest: 4.75 },
    )
    assert.deepEqual(spent.examples[0].time, new Date(startMs + 29 * minute).toISOString())
    assert.equal(spent.examples[0].recomputed - spent.examples[0].logged, spent.largest)
    assert.equal(risk.differing, 0)
    await run('skew', path('other.ts'), 'score', '--max-share', '0.65')
    assert.match(shop.said.join(' '), /30 messages of scored compared no feature differs in more/)
    assert.equal(exitCode, 0)
  })

  test('finds what came later than its delay', async () => {
    await shop.log((log) => label(log, [20], 0))
    const text = await run('skew', file, 'score')
    assert.equal(exitCode, 1)
    // The payments of its terminal from 21 minutes on: 22, 24, 26 and 28.
    assert.match(text, /risk +4 +13.3 % +0\.333\d* .* 1 +0\.66/)
    assert.match(text, /spent +0 +0 %/)
    assert.match(shop.said.join(' '), /more than 0 % of them differ in risk/)
  })

  test('refuses fields that nothing has, a label that is no JSON, and a place for no file', async () => {
    const toExport = (flags: string, output = 'a.ndjson') => {
      const words = ['export', file, 'score', '--output', path(output), '--labels', 'labels']
      return [...words, ...flags.split(' ')]
    }
    const refused: [RegExp, string[]][] = [
      [/no message of topic labels.*'frad'.*'fraud'/, toExport('--label frad --on number=payment')],
      [
        /no message of topic labels.*'paymnt'.*'payment'/,
        toExport('--label fraud --on number=paymnt --otherwise 0'),
      ],
      [
        /no row of the history.*'numbr'.*'number'/,
        toExport('--label fraud --on numbr=payment --otherwise 0'),
      ],
      [/there is no folder/, toExport('--label fraud --on number=payment', 'none/a.ndjson')],
      [/no row.*'spnt'.*'spent'/, ['skew', file, 'score', '--features', 'risk,spnt']],
      [
        /no message of topic payments.*'risk'/,
        ['skew', file, 'score', '--logged', 'payments', '--features', 'risk'],
      ],
    ]
    for (const [message, words] of refused) {
      await assert.rejects(run(...words), { code: 'OPTIONS_INVALID', message })
    }
    await assert.rejects(run(...toExport('--otherwise {no')), {
      ...{ code: 'commander.invalidArgument', message: /--otherwise.*JSON is needed/ },
    })
    assert.ok(!existsSync(path('a.ndjson')))
  })

  test('says when nothing was compared, and refuses what it cannot know', async () => {
    await shop.log(async (log) => {
      await log.createTopic('empty')
      assert.equal((await readAll(log, 'empty')).length, 0)
    })
    await run('skew', file, 'score', '--logged', 'empty')
    assert.equal(exitCode, 1)
    assert.match(shop.said.join(' '), /nothing was compared/)
    const refused: [string, RegExp, ...string[]][] = [
      ['OPTIONS_INVALID', /let it end in/, 'export', file, 'score', '--output', 'rows.csv'],
      [
        'OPTIONS_INVALID',
        /--on is about labels/,
        'export',
        file,
        'score',
        '--output',
        'a.ndjson',
        '--on',
        'x',
      ],
      [
        'OPTIONS_INVALID',
        /needs --label/,
        'export',
        file,
        'score',
        '--output',
        'a.ndjson',
        '--labels',
        'labels',
      ],
      ['APP_UNUSABLE', /no pipeline 'scor'.*score/, 'export', file, 'scor', '--output', 'a.ndjson'],
      ['OPTIONS_INVALID', /no step adds anything/, 'skew', file, 'plain', '--logged', 'empty'],
      ['TOPIC_UNKNOWN', /scores.*scored/, 'skew', file, 'score', '--logged', 'scores'],
    ]
    for (const [code, message, ...words] of refused) {
      await assert.rejects(run(...words), (error: Error) => {
        assert.match(error.message, message)
        return codeOf(error) === code
      })
    }
  })
})
