/**
 * The law of look-ups: what every part promises, against the system that it asks. A test of a look-up
 * calls `lookupContract` with cases that it can set up on its own.
 */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { z } from 'zod'
import { systemClock } from '../core/clock.ts'
import { type MillraceError, orderOf } from '../core/errors.ts'
import { partLaws, promptly } from '../core/part-laws.ts'
import {
  type Connections,
  type Lookup,
  type LookupContext,
  type LookupKey,
  type LookupPart,
  useLookup,
} from './lookup.ts'

export interface LookupCase<Options extends z.ZodObject> {
  readonly name: string
  /** Asked for when the tests run, with the system there. */
  options(): z.input<Options>
  connection?(): Promise<Connections[keyof Connections]>
  /** What the system knows, at least three keys. */
  readonly known: readonly { readonly key: LookupKey; readonly value: unknown }[]
  /** So many keys as there are asked for, of which the system knows nothing. */
  unknown(count: number): readonly LookupKey[]
  /** A key that the system takes for wrong. */
  readonly refused: LookupKey
  /** The system does not answer any more, and answers again when the work is done. */
  away(work: () => Promise<void>): Promise<void>
  /** The system takes questions and says nothing until the work is done. */
  stalled(work: () => Promise<void>): Promise<void>
  /** What may be in no error and no plan. */
  readonly secrets: () => readonly string[]
}

/** Registers the suite of a look-up. `cases`: at least one; each is set up for every law. */
export function lookupContract<Options extends z.ZodObject>(
  part: LookupPart<Options>,
  cases: readonly LookupCase<Options>[],
): void {
  describe(`contract: lookups/${part.name}`, () => {
    partLaws(part)
    for (const one of cases) describe(one.name, () => laws(part, one))
  })
}

function laws<Options extends z.ZodObject>(
  part: LookupPart<Options>,
  one: LookupCase<Options>,
): void {
  const opened = (context: TestContext) => open(part, one, context)
  answerLaws(part, one, opened)
  troubleLaws(part, one, opened)
}

type Opened = (context: TestContext) => Promise<Lookup>

async function open<Options extends z.ZodObject>(
  part: LookupPart<Options>,
  one: LookupCase<Options>,
  context: TestContext,
): Promise<Lookup> {
  const connection = async () => {
    assert.ok(one.connection, 'the options name no connection')
    return one.connection()
  }
  const given = { clock: systemClock, signal: new AbortController().signal, connection }
  const lookup = await useLookup(part, one.options()).open(given as LookupContext)
  context.after(() => lookup.close())
  return lookup
}

/** By the index of the key; fails where a key is answered twice. */
async function ask(
  lookup: Lookup,
  keys: readonly LookupKey[],
  signal: AbortSignal = new AbortController().signal,
): Promise<{ readonly answers: Map<number, unknown>; readonly error?: MillraceError }> {
  const answers = new Map<number, unknown>()
  const answer = (index: number, value: unknown) => {
    assert.ok(keys[index] !== undefined, `there is no key ${index}`)
    assert.ok(!answers.has(index), `key ${index} is answered twice`)
    answers.set(index, value ?? null)
  }
  try {
    await lookup.find(keys, { answer, signal })
    return { answers }
  } catch (error) {
    return { answers, error: error as MillraceError }
  }
}

function answerLaws<Options extends z.ZodObject>(
  part: LookupPart<Options>,
  one: LookupCase<Options>,
  opened: Opened,
): void {
  const { known } = one

  test('open, close, close', async (context) => {
    const lookup = await opened(context)
    await lookup.close()
    await lookup.close()
  })

  test('every key has its answer, and no key none', async (context) => {
    const lookup = await opened(context)
    assert.ok(known.length >= 3)
    const [gone] = one.unknown(1)
    const keys = [gone!, ...known.map(({ key }) => key)]
    const { answers, error } = await ask(lookup, keys)
    assert.equal(error, undefined)
    assert.deepEqual(answers.get(0), null)
    for (const [index, { value }] of known.entries()) {
      assert.deepEqual(answers.get(index + 1), value)
      assert.deepEqual(JSON.parse(JSON.stringify(value)), value, 'what JSON can hold')
    }
    const nobody = await ask(lookup, [])
    assert.deepEqual([nobody.answers.size, nobody.error], [0, undefined])
  })

  test('as many keys as it takes are all answered, by calls at the same time', async (context) => {
    const lookup = await opened(context)
    const maxKeys = part.maxKeys(part.options.parse(one.options()))
    const calls = Array.from({ length: 5 }, async (_, call) => {
      const keys = [...one.unknown(maxKeys - 1), known[call % known.length]!.key]
      const { answers, error } = await ask(lookup, keys)
      assert.equal(error, undefined)
      assert.equal(answers.size, maxKeys)
      assert.deepEqual(answers.get(maxKeys - 1), known[call % known.length]!.value)
      assert.equal([...answers.values()].filter((value) => value !== null).length, 1)
    })
    await Promise.all(calls)
  })

  test('a key that is refused does not sink its neighbours', async (context) => {
    const lookup = await opened(context)
    const [first, ...others] = known.map(({ key }) => key)
    const { answers, error } = await ask(lookup, [first!, one.refused, ...others])
    assert.equal(orderOf(error), 'refused', String(error))
    assert.deepEqual(
      error!.refused.map(({ index }) => index),
      [1],
    )
    assert.notEqual(error!.refused[0]!.reason, '')
    assert.equal(answers.size, known.length)
    assert.deepEqual(answers.get(2), known[1]!.value)
  })
}

function troubleLaws<Options extends z.ZodObject>(
  part: LookupPart<Options>,
  one: LookupCase<Options>,
  opened: Opened,
): void {
  const keys = one.known.map(({ key }) => key)
  const isWell = async (lookup: Lookup) => {
    const { answers, error } = await ask(lookup, keys)
    assert.equal(error, undefined)
    assert.deepEqual(
      keys.map((_, index) => answers.get(index)),
      one.known.map(({ value }) => value),
    )
  }

  test('a system that is away is asked later, and answers when it is back', async (context) => {
    const lookup = await opened(context)
    await isWell(lookup)
    await one.away(async () => {
      const { error } = await ask(lookup, keys)
      assert.equal(orderOf(error), 'try-later', String(error))
      assert.ok(error!.waitMs > 0)
      for (const secret of one.secrets()) assert.ok(!error!.message.includes(secret))
    })
    await isWell(lookup)
  })

  test('an abort ends a question at once, and others go on', async (context) => {
    const lookup = await opened(context)
    await isWell(lookup)
    await one.stalled(async () => {
      const stopping = new AbortController()
      const asking = ask(lookup, keys, stopping.signal)
      await systemClock.sleep(50)
      stopping.abort()
      const { error } = await promptly('find after abort', asking)
      assert.ok(error)
    })
    await isWell(lookup)
  })

  test('close ends what is under way', async (context) => {
    const lookup = await opened(context)
    await isWell(lookup)
    await one.stalled(async () => {
      const asking = ask(lookup, keys)
      await systemClock.sleep(50)
      await promptly('close', lookup.close())
      const { error } = await promptly('find after close', asking)
      assert.ok(error)
    })
  })

  test('where it looks is said without secrets', () => {
    const { place, maxKeys } = useLookup(part, one.options())
    assert.ok(place.startsWith(part.name), place)
    assert.ok(maxKeys >= 1)
    for (const secret of one.secrets()) assert.ok(!place.includes(secret))
  })
}
