/** What is read back of stored windows, against the reference: after any batches, closes and crashes. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareKeys } from '../core/key-order.ts'
import { type StoredState, windowReader } from './window-reading.ts'
import { type WindowStep, windowStep } from './window-step.ts'
import { breaks, drive, expectedOutcome, line, memberIds } from './window-step-testing.ts'
import { streams, windowsOfKind } from './window-streams-testing.ts'

class Stored implements StoredState {
  readonly entries: readonly (readonly [string, Buffer])[]
  scans = 0

  constructor(entries: readonly (readonly [string, Buffer])[]) {
    this.entries = entries
  }

  async get(keys: readonly string[]): Promise<Map<string, Buffer>> {
    return new Map(this.entries.filter(([key]) => keys.includes(key)))
  }

  async scan({ from = '', to, limit }: Parameters<StoredState['scan']>[0]) {
    this.scans++
    return this.entries
      .filter(([key]) => compareKeys(key, from) >= 0)
      .filter(([key]) => to === undefined || compareKeys(key, to) < 0)
      .slice(0, limit)
  }
}

async function storedBy(step: WindowStep, driven: Awaited<ReturnType<typeof drive>>) {
  const entries = await driven.state.scan('', '\u{10ffff}', 1e9)
  const form = ['!form', Buffer.from('{}')] as const
  const encoded = entries.map(
    ([key, value]) => [key, Buffer.from(step.form.encode(value))] as const,
  )
  return new Stored([form, ...encoded])
}

for (const kind of ['tumbling', 'hopping', 'session', 'sliding'] as const) {
  describe(`${kind} windows, read back`, () => {
    it('are those that are open, with what they would give now', () =>
      fc.assert(
        fc.asyncProperty(
          fc.record({
            events: streams({ finish: false }),
            window: windowsOfKind(kind),
            emit: fc.constantFrom('current' as const, 'final' as const),
            outOfOrderMs: fc.nat(40),
            cuts: breaks({ flush: true }),
          }),
          async ({ events, window: declared, emit, outOfOrderMs, cuts }) => {
            const window = { ...declared, emit }
            const make = () => windowStep(window, memberIds)
            const stored = await storedBy(make(), await drive(make, events, outOfOrderMs, cuts))
            const reader = windowReader(window, memberIds)
            const keys = await reader.keys(stored, '', 1000)
            const windows = await reader.windows(stored, keys)
            const { open } = expectedOutcome(window, events, outOfOrderMs)
            assert.deepEqual(windows.map(line).sort(), open)
            assert.deepEqual(keys, keys.toSorted(compareKeys))
            // Sliding windows keep what a later one may need.
            const told = [...new Set(windows.map(({ key }) => key))]
            const isTold = (key: string) => kind !== 'sliding' || told.includes(key)
            assert.deepEqual(told, keys.filter(isTold), 'key after key')
            for (const [index, key] of keys.entries()) {
              assert.deepEqual(await reader.keys(stored, key, 2), keys.slice(index, index + 2))
              const own = await reader.windows(stored, [key])
              assert.deepEqual(own.map(line), windows.filter((one) => one.key === key).map(line))
              assert.deepEqual(
                own.map(({ startMs }) => startMs),
                own.map(({ startMs }) => startMs).toSorted((one, other) => one - other),
              )
            }
            assert.deepEqual(await reader.windows(stored, ['nobody']), [])
          },
        ),
        { numRuns: 60 },
      ))
  })
}

describe('reading windows back', () => {
  it('asks for starts, not for all keys', async () => {
    const step = windowStep(
      { kind: 'tumbling', sizeMs: 10, offsetMs: 0, latenessMs: 0, emit: 'final' },
      memberIds,
    )
    const window = step.form.encode({ revision: 1, emitted: 0, state: ['m'] })
    const entries = Array.from({ length: 3000 }, (_, index) => {
      const start = index < 1500 ? '100000000000' : '10000000000a'
      return [`${start}/key ${String(index % 1500).padStart(4, '0')}`, Buffer.from(window)] as const
    })
    const stored = new Stored(entries)
    const reader = windowReader(
      { kind: 'tumbling', sizeMs: 10, offsetMs: 0, latenessMs: 0, emit: 'final' },
      memberIds,
    )
    const found = await reader.windows(stored, ['key 0700'])
    assert.deepEqual(
      found.map(({ startMs, endMs }) => [startMs, endMs]),
      [
        [0, 10],
        [10, 20],
      ],
    )
    assert.ok(stored.scans < 10, `${stored.scans} scans`)
    assert.deepEqual(await reader.keys(stored, 'key 1498', 5), ['key 1498', 'key 1499'])
  })
})
