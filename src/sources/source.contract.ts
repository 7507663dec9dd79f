/**
 * The law of sources: what every part promises, and what a source promises by its `replay`. A test
 * of a source calls `sourceContract` with cases that it can set up on its own.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { z } from 'zod'
import { systemClock } from '../core/clock.ts'
import { messagesOf } from '../core/message.ts'
import { usePart } from '../core/part.ts'
import { partLaws, promptly } from '../core/part-laws.ts'
import type { SourceContext, SourcePart, SourceReader } from './source.ts'

export interface SourceCase<Options extends z.ZodObject> {
  readonly name: string
  /** Sets up what is to be read, in a folder of its own that is empty, and says how. */
  options(directory: string): Promise<z.input<Options>> | z.input<Options>
  /** How many messages there are; the source ends behind them unless `endless`. */
  readonly messages: number
  /** How many more cannot be read. Default 0. */
  readonly unreadable?: number
  /** True for a source that waits for more: the first `messages` of it are looked at. */
  readonly endless?: boolean
}

/** Laws that a source is excused from, and why. */
export interface SourceException {
  readonly law: 'times are the same again'
  readonly reason: string
}

/** What one batch brought, in a form that can be compared. */
interface Given {
  readonly messages: readonly Row[]
  readonly position: unknown
}

interface Row {
  readonly id: string
  readonly key: string | undefined
  readonly value: string | undefined
  readonly time: number
}

const maxPositionBytes = 1024
/** Odd, so that batches end in the middle of whatever the source reads at once. */
const batchSizes = [3, 1, 7, 1000]

/** Registers the suite of a source. `cases`: at least one; each is read again and again. */
export function sourceContract<Options extends z.ZodObject>(
  part: SourcePart<Options>,
  cases: readonly SourceCase<Options>[],
  exceptions: readonly SourceException[] = [],
): void {
  describe(`contract: sources/${part.name}`, () => {
    partLaws(part)
    for (const exception of exceptions) {
      test(`except: ${exception.law}`, (context) => context.diagnostic(exception.reason))
    }
    for (const one of cases) {
      describe(one.name, () => {
        const opener = (context: TestContext) => prepare(part, one, context)
        caseLaws(one, opener)
        if (part.replay !== 'none') replayLaws(part, one, opener, exceptions)
      })
    }
  })
}

type Open = (position?: unknown, signal?: AbortSignal) => Promise<SourceReader>

/** A function that opens the case's source, with all that it took given back after the test. */
async function prepare<Options extends z.ZodObject>(
  part: SourcePart<Options>,
  one: SourceCase<Options>,
  context: TestContext,
): Promise<Open> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-source-'))
  const opened: SourceReader[] = []
  context.after(async () => {
    for (const reader of opened) await reader.close()
    await rm(directory, { recursive: true, force: true })
  })
  const use = usePart(part, await one.options(directory))
  return async (position, signal = new AbortController().signal) => {
    const reader = await use.open(contextOf(position, signal))
    opened.push(reader)
    return reader
  }
}

function contextOf(position: unknown, signal: AbortSignal): SourceContext {
  return { position, clock: systemClock, signal, ratePerSecond: Number.POSITIVE_INFINITY }
}

function caseLaws<Options extends z.ZodObject>(
  one: SourceCase<Options>,
  prepared: (context: TestContext) => Promise<Open>,
): void {
  test('open, close, close', async (context) => {
    const open = await prepared(context)
    const reader = await open()
    await reader.close()
    await reader.close()
  })

  test('brings all messages, never more at once than asked for', async (context) => {
    const open = await prepared(context)
    for (const maxMessages of batchSizes) {
      const all = await readAll(await open(), one, maxMessages)
      const rows = rowsOf(all)
      assert.equal(rows.length, one.messages)
    }
  })

  test('ids are there and unique, unreadable ones among them', async (context) => {
    const open = await prepared(context)
    const ids = await allIds(await open(), one)
    assert.equal(ids.length, one.messages + (one.unreadable ?? 0))
    assert.equal(new Set(ids).size, ids.length)
    assert.ok(ids.every((id) => /^[a-z0-9-]+:./.test(id)))
  })

  test('positions are small JSON', async (context) => {
    const open = await prepared(context)
    for (const { position } of await readAll(await open(), one, 3)) {
      const json = JSON.stringify(position)
      assert.deepEqual(JSON.parse(json), position)
      assert.ok(Buffer.byteLength(json) < maxPositionBytes, json)
    }
  })

  test('abort ends a wait', async (context) => {
    const open = await prepared(context)
    const controller = new AbortController()
    const reader = await open(undefined, controller.signal)
    await readAll(reader, one, 1000)
    const waiting = reader.read(1)
    controller.abort()
    await promptly('read after abort', waiting)
    await promptly('close after abort', reader.close())
  })

  if (one.endless) return
  test('the end is for good', async (context) => {
    const open = await prepared(context)
    const reader = await open()
    await readAll(reader, one, 1000)
    assert.equal(await reader.read(1), undefined)
    assert.equal(await reader.read(1), undefined)
  })
}

function replayLaws<Options extends z.ZodObject>(
  part: SourcePart<Options>,
  one: SourceCase<Options>,
  prepared: (context: TestContext) => Promise<Open>,
  exceptions: readonly SourceException[],
): void {
  const timed = !exceptions.some(({ law }) => law === 'times are the same again')
  const comparable = (rows: readonly Row[]) =>
    timed ? rows : rows.map((row) => ({ ...row, time: 0 }))

  test(`replay ${part.replay}: from every position comes the rest`, async (context) => {
    const open = await prepared(context)
    const first = await readAll(await open(), one, 3)
    const all = comparable(rowsOf(first))
    let read = 0
    for (const { messages, position } of first) {
      read += messages.length
      const saved: unknown = JSON.parse(JSON.stringify(position))
      const left = { ...one, messages: one.messages - read }
      const again = comparable(rowsOf(await readAll(await open(saved), left, 1000)))
      if (part.replay === 'exact') assert.deepEqual(again, all.slice(read), `after ${read}`)
      else assert.deepEqual(again.slice(again.length - (all.length - read)), all.slice(read))
    }
    assert.equal(read, one.messages)
  })

  test('restarted after every batch, it brings what one reader brings', async (context) => {
    const open = await prepared(context)
    const first = await readAll(await open(), one, 1000)
    // What matters is the content: the first start is another one, and so may the times be.
    const content = (rows: readonly Row[]) => rows.map(({ id, key, value }) => ({ id, key, value }))
    const rows: Row[] = []
    const unreadable = new Set<string>()
    let position: unknown
    for (let batches = 0; !(one.endless && rows.length >= one.messages); batches++) {
      assert.ok(batches < 10 * one.messages + 100, 'it never ends')
      const reader = await open(position)
      const batch = await reader.read(2)
      await reader.close()
      if (batch === undefined) break
      for (const row of rowsOf([given(batch)])) {
        if (!rows.some(({ id }) => id === row.id)) rows.push(row)
        else assert.notEqual(part.replay, 'exact', `${row.id} came twice`)
      }
      for (const { id } of batch.unreadable) unreadable.add(id)
      position = JSON.parse(JSON.stringify(batch.position))
    }
    if (!one.endless) assert.equal(unreadable.size, one.unreadable ?? 0)
    assert.deepEqual(content(rows), content(rowsOf(first)))
  })
}

type Batch = NonNullable<Awaited<ReturnType<SourceReader['read']>>>

function given({ batch, position }: Batch): Given {
  const messages = messagesOf(batch).map(({ id, key, value, time }) => ({
    id,
    key: key?.toString('latin1'),
    value: value?.toString('latin1'),
    time,
  }))
  return { messages, position }
}

function rowsOf(batches: readonly Given[]): Row[] {
  return batches.flatMap(({ messages }) => messages)
}

/** Reads to the end; of an endless source as many as the case says. */
async function readAll<Options extends z.ZodObject>(
  reader: SourceReader,
  one: Pick<SourceCase<Options>, 'messages' | 'endless'>,
  maxMessages: number,
  see: (batch: Batch) => void = () => {},
): Promise<Given[]> {
  const batches: Given[] = []
  let left = one.messages
  while (!(one.endless && left <= 0)) {
    const asked = one.endless ? Math.min(maxMessages, left) : maxMessages
    const batch = await promptly('read', reader.read(asked), 10_000)
    if (batch === undefined) break
    assert.ok(batch.batch.count + batch.unreadable.length <= asked, 'more than asked for')
    see(batch)
    batches.push(given(batch))
    left -= batch.batch.count
  }
  return batches
}

async function allIds<Options extends z.ZodObject>(reader: SourceReader, one: SourceCase<Options>) {
  const ids: string[] = []
  await readAll(reader, one, 5, ({ batch, unreadable }) => {
    ids.push(...messagesOf(batch).map(({ id }) => id))
    for (const { id, raw, reason } of unreadable) {
      assert.ok(raw.length <= 64 * 1024 && reason !== '')
      ids.push(id)
    }
  })
  return ids
}
