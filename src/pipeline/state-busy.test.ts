import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fail } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import { files } from '../sources/files.ts'
import { pipeline } from './pipeline.ts'
import { readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

/** From now on each second look through state finds the log busy. */
function makeBusy(log: Log): void {
  const open = log.openState.bind(log)
  let scans = 0
  const openState: Log['openState'] = async (...asked) => {
    const state = await open(...asked)
    return {
      get: (keys) => state.get(keys),
      close: () => state.close(),
      async scan(range) {
        if (++scans % 2 === 0) throw fail('LOG_BUSY', 'test: busy', { waitMs: 1 })
        return state.scan(range)
      },
    }
  }
  Object.assign(log, { openState })
}

describe('a log that is busy while event time goes on', () => {
  it('loses no timer that was called, and nobody who is alone', async () => {
    const log = await newLog()
    const folder = mkdtempSync(join(tmpdir(), 'millrace-busy-'))
    const path = join(folder, 'in.ndjson')
    const lines = Array.from({ length: 6 }, (_, n) =>
      JSON.stringify({ key: `k${n}`, time: n * 1000 }),
    )
    writeFileSync(path, `${lines.join('\n')}\n`)
    const nothing = join(folder, 'nothing.ndjson')
    writeFileSync(nothing, '')
    interface Line {
      readonly key: string
      readonly time: number
    }
    const declared = { partitions: 1, key: ({ key }: Line) => key, time: ({ time }: Line) => time }
    const [asked, answers] = [topic<Line>('asked', declared), topic<Line>('answers', declared)]
    await log.createTopic('answers', { partitions: 1 })
    const silent = pipeline('silent')
      .from(asked)
      .keyBy()
      .process('silent', {
        start: () => 0,
        message: (_, __, at) => at.setTimer(at.timeMs + 500),
        timer: (_, { key }) => ({ key }),
      })
      .to(topic('silent', { partitions: 1 }))
    const alone = pipeline('alone')
      .from(asked)
      .keyBy()
      .join('answer', answers, { within: 100, how: 'left' })
      .to(topic('alone', { partitions: 1 }))
    const feed = pipeline('feed').from(files<Line>({ path })).to(asked)
    const none = pipeline('none')
      .from(files<Line>({ path: nothing }))
      .to(answers)
    makeBusy(log)
    await runUntilCaughtUp(log, [feed, none, silent, alone], folder)
    const keys = ['k0', 'k1', 'k2', 'k3', 'k4', 'k5']
    for (const name of ['silent', 'alone']) {
      const found = (await readValues(log, name)) as { key: string }[]
      assert.deepEqual(found.map(({ key }) => key).sort(), keys, name)
    }
    rmSync(folder, { recursive: true })
    await log.close()
  })
})
