import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { codeOf, messageOf } from '../core/errors.ts'
import { messagesOf } from '../core/message.ts'
import { files } from './files.ts'
import type { SourceReader } from './source.ts'

/** A followed folder and a clock that runs only when the source sleeps. */
async function following(context: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-follow-'))
  const controller = new AbortController()
  let now = Date.now()
  const clock = {
    now: () => now,
    async sleep(waitMs: number) {
      now += waitMs
      await setImmediate()
    },
  }
  const path = (name: string) => join(directory, name)
  const open = (position?: unknown) =>
    files({ path: directory, follow: true }).open({ position, clock, signal: controller.signal })
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return {
    open,
    append: (name: string, text: string | Buffer) => appendFileSync(path(name), text),
    path,
    controller,
  }
}

/** Reads a number of times (each at most one wait of 100 ms on that clock). */
async function gather(reader: SourceReader, reads = 15, maxMessages = 2) {
  const values: string[] = []
  let position: unknown
  for (let count = 0; count < reads; count++) {
    const batch = await reader.read(maxMessages)
    assert.ok(batch !== undefined, 'a followed source does not end')
    values.push(...messagesOf(batch.batch).map(({ value }) => value!.toString()))
    position = JSON.parse(JSON.stringify(batch.position))
  }
  return { values, position }
}

const refused = (pattern: RegExp) => (error: unknown) => {
  assert.equal(codeOf(error), 'SOURCE_UNREADABLE')
  assert.match(messageOf(error), pattern)
  return true
}

describe('files: follow', () => {
  test('waits for files, for lines, for the end of a line', async (context) => {
    const { open, append } = await following(context)
    const reader = await open()
    assert.deepEqual((await gather(reader)).values, [])
    append('a.ndjson', '1\n2\n3\n4')
    assert.deepEqual((await gather(reader)).values, ['1', '2', '3'])
    append('a.ndjson', '4\n5\n')
    assert.deepEqual((await gather(reader)).values, ['44', '5'])
    await reader.close()
  })

  test('a header may come late; quotes stay open over reads', async (context) => {
    const { open, append } = await following(context)
    append('a.csv', 'a,')
    const reader = await open()
    assert.deepEqual((await gather(reader)).values, [])
    append('a.csv', 'b\n1,"x\n')
    assert.deepEqual((await gather(reader)).values, [])
    append('a.csv', 'y"')
    assert.deepEqual((await gather(reader)).values, [])
    append('a.csv', '\n')
    assert.deepEqual((await gather(reader)).values, ['{"a":"1","b":"x\\ny"}'])
    await reader.close()
  })

  test('goes on to the next file when the last one rests, and over a restart', async (context) => {
    const { open, append } = await following(context)
    append('1.ndjson', '1\n')
    const reader = await open()
    assert.deepEqual((await gather(reader)).values, ['1'])
    append('2.ndjson', '3\n')
    append('1.ndjson', '2')
    const { values, position } = await gather(reader, 40)
    assert.deepEqual(values, ['2', '3'])
    await reader.close()
    append('2.ndjson', '4\n')
    const again = await open(position)
    assert.deepEqual((await gather(again)).values, ['4'])
    await again.close()
  })

  test('a gzip file that is still being written', async (context) => {
    const { open, append } = await following(context)
    const whole = gzipSync(Array.from({ length: 5000 }, (_, n) => `${n}${Math.sin(n)}\n`).join(''))
    append('a.ndjson.gz', whole.subarray(0, 30_000))
    const reader = await open()
    const first = await gather(reader, 30, 1000)
    assert.ok(first.values.length > 100 && first.values.length < 5000, `${first.values.length}`)
    append('a.ndjson.gz', whole.subarray(30_000))
    const second = await gather(reader, 30, 1000)
    assert.equal(first.values.length + second.values.length, 5000)
    await reader.close()
  })

  test('a followed file that shrinks, is replaced, or grows too late is refused', async (context) => {
    const { open, append, path } = await following(context)
    append('1.ndjson', '1\n2\n')
    const reader = await open()
    await gather(reader)
    truncateSync(path('1.ndjson'), 2)
    await assert.rejects(gather(reader), refused(/shrank from 4 to 2 bytes/))
    append('1.ndjson', '2\n')
    await gather(reader)
    writeFileSync(path('new'), '1\n2\n3\n')
    renameSync(path('new'), path('1.ndjson'))
    await assert.rejects(gather(reader), refused(/was replaced/))
    await reader.close()

    const other = await open()
    append('2.ndjson', '4\n')
    await gather(other, 40)
    append('1.ndjson', 'late\n')
    await assert.rejects(gather(other), refused(/after a file behind it was begun/))
    await other.close()
  })

  test('abort ends it', async (context) => {
    const { open, controller } = await following(context)
    const reader = await open()
    controller.abort()
    assert.equal((await reader.read(1))?.batch.count, 0)
    await reader.close()
  })
})
