import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import { systemClock } from '../core/clock.ts'
import { codeOf, type MillraceError, messageOf } from '../core/errors.ts'
import { type FileOptions, file, filePart } from './file.ts'
import { sinkContract } from './sink.contract.ts'

function linesIn(path: string): unknown[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  if (text === '') return []
  assert.ok(text.endsWith('\n'), 'the last line is whole')
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line))
}

sinkContract(filePart, [
  {
    name: 'values',
    options: (directory) => ({ path: join(directory, 'a/b/out.ndjson') }),
    values: (directory) => linesIn(join(directory, 'a/b/out.ndjson')),
    refused: '{"cut": ',
  },
  {
    name: 'envelopes',
    options: (directory) => ({ path: join(directory, 'out.ndjson'), envelope: true }),
    values: (directory) =>
      linesIn(join(directory, 'out.ndjson')).map((line) => (line as { value: unknown }).value),
    refused: Buffer.from([0x22, 0xff, 0x22]),
  },
])

function workshop(context: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-file-'))
  const path = join(directory, 'out.ndjson')
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return {
    path,
    async open(position?: unknown, more: Partial<FileOptions> = {}) {
      const { signal } = new AbortController()
      const use = file({ path, ...more })
      const sink = await use.open({ position, partition: 0, directory, clock: systemClock, signal })
      context.after(() => sink.close())
      return sink
    },
  }
}

function batchOf(...values: (string | null)[]) {
  const builder = new BatchBuilder('t', 0)
  for (const value of values) builder.append('k', value, 5)
  return builder.build()
}

const refused = (code: string, pattern: RegExp) => (error: unknown) => {
  assert.equal(codeOf(error), code)
  assert.match(messageOf(error), pattern)
  return true
}

describe('file sink', () => {
  test('values are written byte for byte, but for newlines', async (context) => {
    const { path, open } = workshop(context)
    const sink = await open()
    await sink.write(batchOf('{"n": 12345678901234567890.50}', '{\n "a": "\\n",\r\n "b": 1}', null))
    assert.equal(
      readFileSync(path, 'utf8'),
      '{"n": 12345678901234567890.50}\n{"a":"\\n","b":1}\nnull\n',
    )
  })

  test('envelopes hold what a message is', async (context) => {
    const { path, open } = workshop(context)
    const sink = await open(undefined, { envelope: true })
    await sink.write(batchOf('[1]', null))
    assert.equal(
      readFileSync(path, 'utf8'),
      '{"id":"/0","version":0,"key":"k","time":5,"value":[1]}\n{"id":"/1","version":1,"key":"k","time":5,"value":null}\n',
    )
  })

  test('a torn tail goes away; a file that is too short is refused', async (context) => {
    const { path, open } = workshop(context)
    const first = await open()
    const position = await first.write(batchOf('1', '2'))
    await assert.rejects(open(position), refused('SINK_BUSY', /another process or thread/))
    await first.close()
    appendFileSync(path, '{"torn":')
    const sink = await open(position)
    await sink.write(batchOf('3'))
    assert.equal(readFileSync(path, 'utf8'), '1\n2\n3\n')
    await sink.close()
    writeFileSync(path, '1\n')
    await assert.rejects(open(position), refused('SINK_UNUSABLE', /has 2 bytes, but 4 were/))
  })

  test('a file that holds something is refused, or emptied when asked to', async (context) => {
    const { path, open } = workshop(context)
    writeFileSync(path, 'mine\n')
    await assert.rejects(open(), refused('SINK_UNUSABLE', /is not empty.*overwrite: true/))
    assert.equal(readFileSync(path, 'utf8'), 'mine\n')
    const sink = await open(undefined, { overwrite: true })
    assert.deepEqual(sink.position(), { sizeBytes: 0 })
    assert.equal(readFileSync(path, 'utf8'), '')
  })

  test('what cannot be a file is refused', async (context) => {
    const { open, path } = workshop(context)
    await assert.rejects(
      open(undefined, { path: join(path, '..') }),
      refused('SINK_UNUSABLE', /cannot be opened for writing/),
    )
    await assert.rejects(
      open(undefined, { path: '/dev/null' }),
      refused('SINK_UNUSABLE', /is not a file/),
    )
  })

  test('a full disk: nothing half written, to be tried again', async (context) => {
    const { path, open: openSink } = workshop(context)
    const sink = await openSink()
    await sink.write(batchOf('1'))
    const probe = await open(path)
    const handles = Object.getPrototypeOf(probe)
    await probe.close()
    const write = handles.write
    let calls = 0
    const full = context.mock.method(
      handles,
      'write',
      function (this: unknown, bytes: Buffer, from: number, size: number, at: number) {
        calls++
        // Half of it fits, as on a real disk: then there is no room left.
        if (calls === 1) return write.call(this, bytes, from, Math.floor(size / 2), at)
        return Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
      },
    )
    await assert.rejects(sink.write(batchOf('22', '33')), (error: MillraceError) => {
      assert.equal(error.code, 'DISK_FULL')
      assert.equal(error.order, 'try-later')
      assert.ok(error.waitMs > 0)
      return true
    })
    full.mock.restore()
    assert.equal(readFileSync(path, 'utf8'), '1\n')
    assert.deepEqual(await sink.write(batchOf('22', '33')), { sizeBytes: 8 })
    assert.equal(readFileSync(path, 'utf8'), '1\n22\n33\n')
  })
})
