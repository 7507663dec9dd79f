import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Clock } from '../core/clock.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import { messagesOf } from '../core/message.ts'
import { type GenerateOptions, generate, generatePart } from './generate.ts'
import { sourceContract } from './source.contract.ts'
import type { SourceReader } from './source.ts'

interface Dice {
  readonly eyes: number
}

const value = (index: number, random: () => number) => ({ index, eyes: Math.floor(random() * 6) })

sourceContract(generatePart, [
  { name: 'counted', messages: 50, options: () => ({ name: 'dice', value, count: 50 }) },
  {
    name: 'with ids, keys and times',
    messages: 20,
    options: () => ({
      name: 'dice',
      value,
      count: 20,
      seed: -7,
      id: (_, index) => `é${index}`,
      key: (_, index) => (index % 2 === 0 ? null : `k${index}`),
      time: (_, index) => index * 10,
    }),
  },
  {
    name: 'without end, at a rate',
    messages: 30,
    endless: true,
    options: () => ({ name: 'dice', value, ratePerSecond: 1e6 }),
  },
])

/** A clock that stands still but for sleeps. */
function sleepClock(): Clock & { slept: number; pass(ms: number): void } {
  let now = 1_000_000
  return {
    slept: 0,
    now: () => now,
    pass(ms) {
      now += ms
    },
    async sleep(waitMs) {
      this.slept += waitMs
      now += waitMs
    },
  }
}

const signal = new AbortController().signal

function open(
  settings: Partial<GenerateOptions<Dice>>,
  clock: Clock = sleepClock(),
  ratePerSecond?: number,
): Promise<SourceReader> {
  const use = generate<Dice>({ name: 'dice', value, ...settings })
  return use.open({ position: undefined, clock, signal, ratePerSecond })
}

async function valuesOf(settings: Partial<GenerateOptions<Dice>>): Promise<string> {
  const batch = await (await open(settings)).read(100)
  return messagesOf(batch!.batch)
    .map((message) => message.value!.toString())
    .join()
}

describe('generate', () => {
  test('the seed decides, and nothing else', async () => {
    assert.equal(await valuesOf({ seed: 5 }), await valuesOf({ seed: 5 }))
    assert.notEqual(await valuesOf({ seed: 5 }), await valuesOf({ seed: 6 }))
    const eyes = [...(await valuesOf({})).matchAll(/"eyes":(\d)/g)].map(([, number]) => number)
    assert.equal(new Set(eyes).size, 6)
  })

  test('keeps its rate, and gives little at once after a pause', async () => {
    const clock = sleepClock()
    const reader = await open({ ratePerSecond: 50 }, clock)
    let given = 0
    while (clock.slept < 10_000) given += (await reader.read(1000))!.batch.count
    assert.ok(Math.abs(given - 500) <= 2, `${given} in 10 s`)
    clock.pass(60_000)
    assert.equal((await reader.read(1000))!.batch.count, 50)
    assert.ok((await reader.read(1000))!.batch.count <= 1)
  })

  test('the run may set another rate; times stay as declared', async () => {
    const clock = sleepClock()
    const reader = await open({ ratePerSecond: 50, count: 500 }, clock, Number.POSITIVE_INFINITY)
    const messages = messagesOf((await reader.read(1000))!.batch)
    assert.equal(messages.length, 500)
    assert.equal(clock.slept, 0)
    assert.equal(messages[499]!.time - messages[0]!.time, 499 * 20)
  })

  test('waits at most 100 ms a read', async () => {
    const clock = sleepClock()
    const reader = await open({ ratePerSecond: 0.5 }, clock)
    assert.equal((await reader.read(10))!.batch.count, 1)
    assert.equal((await reader.read(10))!.batch.count, 0)
    assert.equal(clock.slept, 100)
  })

  test('an error of yours names the function and the index', async () => {
    const failing = (index: number): Dice => {
      if (index === 3) throw new Error('no such die')
      return { eyes: index }
    }
    const cases: [Partial<GenerateOptions<Dice>>, RegExp][] = [
      [{ value: failing }, /'value' of message 3: no such die/],
      [{ value: () => ({ eyes: 1n }) as unknown as Dice }, /'value' of message 0.*BigInt/],
      [{ value: () => undefined as unknown as Dice }, /gave undefined, which JSON does not know/],
      [{ time: () => Number.NaN }, /'time' of message 0: gave NaN/],
      [{ key: () => 5 as unknown as string }, /'key' of message 0: gave number/],
      [{ id: () => 5 as unknown as string }, /'id' of message 0: gave number/],
    ]
    for (const [settings, pattern] of cases) {
      const reader = await open(settings)
      await assert.rejects(reader.read(10), (error) => {
        assert.equal(codeOf(error), 'GENERATOR_FAILED')
        assert.match(messageOf(error), pattern)
        return true
      })
    }
  })
})
