/**
 * The law of sinks: what every part promises, and what a sink promises by its `delivery`. A test of
 * a sink calls `sinkContract` with cases that it can set up on its own.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { z } from 'zod'
import type { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import { systemClock } from '../core/clock.ts'
import { codeOf, type MillraceError, orderOf } from '../core/errors.ts'
import { idHeader, versionHeader } from '../core/identity.ts'
import { usePart } from '../core/part.ts'
import { partLaws, promptly } from '../core/part-laws.ts'
import type { Sink, SinkPart, SinkPosition } from './sink.ts'

export interface SinkCase<Options extends z.ZodObject> {
  readonly name: string
  /** Where the sink writes to, in a folder of its own that is empty, and how. */
  options(directory: string): z.input<Options>
  /**
   * The values that the destination holds, parsed. Called when no sink is open. In the order in
   * which they were written where the delivery is `positioned`; in any order where it is `keyed`.
   * Values are `{ key, n }`; a delete that was written as such is null.
   */
  values(directory: string): Promise<readonly unknown[]> | readonly unknown[]
  /** The value of a message that the sink refuses, when there is one. */
  readonly refused?: string | Buffer
}

/** One message of the suite. The same key always has the same id: a sink may go by either. */
interface Sample {
  readonly key: string
  readonly n: number | null
  readonly version: number
}

/** A batch of messages whose values are `{ key, n }`; where n is null the value is null. */
function batchOf(samples: readonly Sample[], others: readonly (string | Buffer)[] = []): Batch {
  const builder = new BatchBuilder('samples', 0)
  const add = (key: string, value: string | Buffer | null, version: number) =>
    builder.append(key, value, 1_700_000_000_000 + version, [
      { key: idHeader, value: Buffer.from(`test:${key}`) },
      { key: versionHeader, value: Buffer.from(String(version)) },
    ])
  samples.forEach(({ key, n, version }, index) => {
    const other = others[index]
    add(key, n === null ? null : JSON.stringify({ key, n }), version)
    if (other !== undefined) add(`other ${index}`, other, version)
  })
  return builder.build()
}

/** Samples number `from` to `to`, each with a key of its own. */
function samplesOf(from: number, to: number): Sample[] {
  return Array.from({ length: to - from }, (_, index) => {
    const n = from + index
    return { key: `k${n} é"\n`, n, version: n }
  })
}

interface Workshop {
  readonly open: (position?: SinkPosition, signal?: AbortSignal) => Promise<Sink>
  /** Asserts that the destination holds the values of these samples, in order where it has one. */
  readonly holds: (samples: readonly Sample[]) => Promise<void>
  readonly forget: () => Promise<void>
}

/** Registers the suite of a sink. `cases`: at least one; each is set up for every law. */
export function sinkContract<Options extends z.ZodObject>(
  part: SinkPart<Options>,
  cases: readonly SinkCase<Options>[],
): void {
  describe(`contract: sinks/${part.name}`, () => {
    partLaws(part)
    for (const one of cases) {
      describe(one.name, () => {
        const prepared = (context: TestContext) => prepare(part, one, context)
        commonLaws(prepared)
        if (one.refused !== undefined) refusalLaw(one.refused, prepared)
        if (part.delivery === 'keyed') keyedLaws(prepared)
        else positionedLaws(prepared)
      })
    }
  })
}

type Prepared = (context: TestContext) => Promise<Workshop>

async function prepare<Options extends z.ZodObject>(
  part: SinkPart<Options>,
  one: SinkCase<Options>,
  context: TestContext,
): Promise<Workshop> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-sink-'))
  const opened: Sink[] = []
  context.after(async () => {
    for (const sink of opened) await sink.close()
    await rm(directory, { recursive: true, force: true })
  })
  const use = usePart(part, one.options(directory))
  return {
    async open(position, signal = new AbortController().signal) {
      const saved = position === undefined ? undefined : JSON.parse(JSON.stringify(position))
      const sink = await use.open({
        position: saved,
        partition: 0,
        directory,
        clock: systemClock,
        signal,
      })
      opened.push(sink)
      return sink
    },
    forget: () => part.forget(part.options.parse(one.options(directory)), { directory }),
    async holds(samples) {
      const expected = samples.map(({ key, n }) => (n === null ? null : { key, n }))
      const there = await one.values(directory)
      if (part.delivery === 'positioned') assert.deepEqual(there, expected)
      else assert.deepEqual(there.map(text).sort(), expected.map(text).sort())
    },
  }
}

/** The same text for the same value, whatever the order of its fields. */
const text = (value: unknown) =>
  JSON.stringify(value, value === null ? null : Object.keys(value as object).sort())

/** Writes to a sink that is opened for it, and gives the position to commit. */
async function writeAll(
  workshop: Workshop,
  batches: readonly Batch[],
  position?: SinkPosition,
): Promise<SinkPosition> {
  const sink = await workshop.open(position)
  let last = sink.position()
  for (const batch of batches) last = await sink.write(batch)
  await sink.close()
  return last
}

function commonLaws(prepared: Prepared): void {
  test('open, close, close', async (context) => {
    const sink = await (await prepared(context)).open()
    await sink.close()
    await sink.close()
  })

  test('abort does not hold up close', async (context) => {
    const controller = new AbortController()
    const sink = await (await prepared(context)).open(undefined, controller.signal)
    const writing = sink.write(batchOf(samplesOf(0, 10)))
    controller.abort()
    await promptly('write after abort', Promise.allSettled([writing]), 5000)
    await promptly('close after abort', sink.close())
  })

  test('all messages arrive, over batches and restarts', async (context) => {
    const workshop = await prepared(context)
    const first = await writeAll(workshop, [batchOf(samplesOf(0, 3)), batchOf([])])
    const second = await writeAll(workshop, [batchOf(samplesOf(3, 2000))], first)
    await writeAll(workshop, [batchOf(samplesOf(2000, 2001))], second)
    await workshop.holds(samplesOf(0, 2001))
  })

  test('forgets what it wrote, twice without harm, and begins anew', async (context) => {
    const workshop = await prepared(context)
    await writeAll(workshop, [batchOf(samplesOf(0, 7))])
    await workshop.forget()
    await workshop.forget()
    await writeAll(workshop, [batchOf(samplesOf(2, 4))])
    await workshop.holds(samplesOf(2, 4))
  })

  test('positions are small JSON', async (context) => {
    const workshop = await prepared(context)
    const sink = await workshop.open()
    for (const position of [sink.position(), await sink.write(batchOf(samplesOf(0, 5)))]) {
      if (position === undefined) continue
      const json = JSON.stringify(position)
      assert.deepEqual(JSON.parse(json), position)
      assert.ok(Buffer.byteLength(json) < 1024, json)
    }
  })
}

function refusalLaw(refused: string | Buffer, prepared: Prepared): void {
  test('a message that is refused does not sink its neighbours', async (context) => {
    const workshop = await prepared(context)
    const sink = await workshop.open()
    await sink.write(batchOf(samplesOf(0, 1)))
    const batch = batchOf(samplesOf(1, 5), [refused])
    await assert.rejects(sink.write(batch), (error: MillraceError) => {
      assert.equal(orderOf(error), 'refused')
      assert.deepEqual(
        error.refused.map(({ index }) => index),
        [1],
      )
      assert.ok(error.refused.every(({ reason }) => reason !== ''))
      return true
    })
    const committed = sink.position()
    await sink.close()
    await writeAll(workshop, [batchOf(samplesOf(5, 6))], committed)
    await workshop.holds(samplesOf(0, 6))
  })
}

function keyedLaws(prepared: Prepared): void {
  test('the same batch again changes nothing', async (context) => {
    const workshop = await prepared(context)
    const batch = () => batchOf(samplesOf(0, 20))
    await writeAll(workshop, [batch(), batch()])
    await writeAll(workshop, [batch()])
    await workshop.holds(samplesOf(0, 20))
  })

  test('a newer version replaces an older one, never the other way round', async (context) => {
    const workshop = await prepared(context)
    const old = { key: 'a', n: 1, version: 1 }
    const recent = { key: 'a', n: 5, version: 5 }
    const other = { key: 'b', n: 2, version: 2 }
    await writeAll(workshop, [batchOf([old, other]), batchOf([recent])])
    await workshop.holds([recent, other])
    await writeAll(workshop, [batchOf([old])])
    await workshop.holds([recent, other])
    await writeAll(workshop, [batchOf([{ key: 'b', n: 9, version: 9 }, other])])
    await workshop.holds([recent, { key: 'b', n: 9, version: 9 }])
  })

  test('a null value deletes, and what is older does not come back', async (context) => {
    const workshop = await prepared(context)
    const [first, second] = [
      { key: 'a', n: 1, version: 1 },
      { key: 'b', n: 2, version: 2 },
    ]
    await writeAll(workshop, [
      batchOf([first, second]),
      batchOf([{ key: 'a', n: null, version: 3 }]),
    ])
    await workshop.holds([second])
    await writeAll(workshop, [batchOf([first])])
    await workshop.holds([second])
    await writeAll(workshop, [batchOf([{ key: 'a', n: 4, version: 4 }])])
    await workshop.holds([second, { key: 'a', n: 4, version: 4 }])
  })
}

function positionedLaws(prepared: Prepared): void {
  test('what was written behind the committed position goes, and comes once', async (context) => {
    const workshop = await prepared(context)
    const sink = await workshop.open()
    const start = sink.position()
    const committed = await sink.write(batchOf(samplesOf(0, 10)))
    await sink.write(batchOf(samplesOf(10, 20)))
    await sink.write(batchOf(samplesOf(20, 25)))
    await sink.close()
    await writeAll(workshop, [batchOf(samplesOf(10, 15))], committed)
    await workshop.holds(samplesOf(0, 15))
    await writeAll(workshop, [batchOf(samplesOf(7, 9))], start)
    await workshop.holds(samplesOf(7, 9))
  })

  test('opened without a position, it does not touch what is there', async (context) => {
    const workshop = await prepared(context)
    await writeAll(workshop, [batchOf(samplesOf(0, 3))])
    await assert.rejects(workshop.open(), (error) => codeOf(error) === 'SINK_UNUSABLE')
    await workshop.holds(samplesOf(0, 3))
  })

  test('a delete is written as one', async (context) => {
    const workshop = await prepared(context)
    const samples = [
      { key: 'a', n: 1, version: 1 },
      { key: 'a', n: null, version: 2 },
    ]
    await writeAll(workshop, [batchOf(samples)])
    await workshop.holds(samples)
  })
}
