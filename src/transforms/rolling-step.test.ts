/** The step of rolling statistics, beside one rolling state a key that nothing is ever forgotten of. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { MemoryKeyedState } from './keyed-state-testing.ts'
import { type RollingState, rolling } from './rolling.ts'
import { type RollingStepOptions, rollingStep } from './rolling-step.ts'
import {
  type ReferenceEvent,
  type ReferenceMessage,
  referenceWatermarks,
} from './watermark-reference-testing.ts'
import { type Break, breaks, inputOf, wholeStream } from './window-step-testing.ts'
import { streams } from './window-streams-testing.ts'

const measures = {
  messages: { kind: 'count', overMs: 40 },
  spent: { kind: 'sum', overMs: 15 },
  before: { kind: 'sum', overMs: 30, delayMs: 20 },
  most: { kind: 'max', overMs: 25 },
} as const

type Told = readonly (readonly [id: string, row: unknown])[]

/** Texts are refused; 'a' has no values now and then. */
function countedOf({ key, value }: ReferenceMessage): unknown {
  if (key === 'b/c') return 'nothing to reckon with'
  return key === 'a' && (value as number) % 2 === 0 ? null : value
}

function expected(
  events: readonly ReferenceEvent[],
  outOfOrderMs: number,
  { including = true, latenessMs = 0, resolutionMs }: RollingStepOptions,
): Told {
  const watermarks = referenceWatermarks(events, { outOfOrderMs })
  const plain = rolling(measures, resolutionMs === undefined ? {} : { resolutionMs })
  const states = new Map<string, RollingState>()
  return events.flatMap((event, index): [string, unknown][] => {
    if (event.kind !== 'message') return []
    const { id, key, timeMs } = event.message
    const isLate = timeMs < (watermarks[index - 1] ?? -Infinity) - latenessMs
    if (isLate) return [[id, 'late']]
    if (key === 'b/c') return [[id, 'failed']]
    const state = states.get(key) ?? plain.start()
    states.set(key, state)
    const without = plain.result(state, timeMs)
    plain.add(state, countedOf(event.message) as number | null, timeMs)
    return [[id, including ? plain.result(state, timeMs) : without]]
  })
}

async function told(
  events: readonly ReferenceEvent[],
  outOfOrderMs: number,
  options: RollingStepOptions,
  cuts: readonly Break[],
): Promise<Told> {
  const watermarks = referenceWatermarks(events, { outOfOrderMs })
  let step = rollingStep(measures, options)
  let state = new MemoryKeyedState(step.form)
  const found: [string, unknown][] = []
  let closedMs = -Infinity
  for (let at = 0, turn = 0; at < events.length; turn++) {
    const cut = cuts[turn] ?? wholeStream
    const end = Math.min(at + cut.events, events.length)
    const given = inputOf(events, watermarks, at, end)
    const rows = given.values as ReferenceMessage[]
    const tell = (row: number, result: unknown) => found.push([rows[row]!.id, result])
    await step.take(state, { ...given, values: rows.map(countedOf) }, closedMs, {
      features: tell,
      late: (row) => tell(row, 'late'),
      failed(row, error) {
        assert.equal(codeOf(error), 'AGGREGATE_INPUT_INVALID')
        tell(row, 'failed')
      },
    })
    at = end
    const crash = () => {
      step = rollingStep(measures, options)
      state = state.restarted(step.form)
    }
    if (cut.crash === 'behind take') crash()
    if (cut.limit === 0 && at < events.length) continue
    closedMs = watermarks[at - 1]!
    while (await step.close(state, closedMs, cut.limit || 1)) {
      if (cut.crash === 'while closing') crash()
    }
  }
  if (closedMs === Infinity) assert.equal(state.size, 0, 'all is forgotten')
  return found
}

describe('rollingStep', () => {
  it('tells what is told without batches, crashes and forgetting', () =>
    fc.assert(
      fc.asyncProperty(
        fc.boolean().chain((finish) => streams({ finish, maxLength: 80 })),
        fc.nat(40),
        fc.record(
          {
            including: fc.boolean(),
            latenessMs: fc.nat(60),
            resolutionMs: fc.constantFrom(1, 4, 15),
          },
          { requiredKeys: [] },
        ),
        breaks(),
        async (events, outOfOrderMs, options, cuts) => {
          const found = await told(events, outOfOrderMs, options, cuts)
          assert.deepEqual(found, expected(events, outOfOrderMs, options))
        },
      ),
      { numRuns: 150 },
    ))

  const one = (timeMs: number, watermarkMs: number) => ({
    ...{ count: 1, keys: ['k'], values: [1] },
    ...{ timesMs: [timeMs], watermarksMs: [watermarkMs] },
  })

  it('forgets a key when nothing can count it, and does not look before', async () => {
    const step = rollingStep(measures, { latenessMs: 10 })
    const state = new MemoryKeyedState(step.form)
    const rows: unknown[] = []
    const output = {
      features: (_: number, { spent }: { spent: number }) => rows.push(spent),
      late: () => rows.push('late'),
      failed: () => assert.fail(),
    }
    await step.take(state, one(100, 0), 0, output)
    assert.equal(state.size, 2)
    assert.equal(await step.close(state, 100, 10), false)
    const { scans } = state
    await step.close(state, 100 + 50 + 9, 10)
    assert.equal(state.size, 2)
    assert.equal(state.scans, scans)
    await step.take(state, one(149, 159), 159, output)
    await step.take(state, one(148, 159), 159, output)
    await step.close(state, 149 + 50 + 9, 10)
    assert.equal(state.size, 2)
    await step.close(state, 149 + 50 + 10, 10)
    assert.equal(state.size, 0)
    assert.deepEqual(rows, [1, 1, 'late'])
  })

  it('looks at a key when its latest value is too old, in whichever order they came', async () => {
    const step = rollingStep(measures, { latenessMs: 10 })
    const state = new MemoryKeyedState(step.form)
    const output = { features: () => {}, late: () => assert.fail(), failed: () => assert.fail() }
    await step.take(state, one(100, 0), 0, output)
    await step.take(state, one(80, 0), 0, output)
    await step.close(state, 100, 10)
    const { scans } = state
    await step.close(state, 100 + 50 + 9, 10)
    assert.equal(state.scans, scans)
    // Once looked at too early, it is not looked at again before it is due.
    await step.take(state, one(200, 0), 100, output)
    await step.take(state, one(180, 0), 100, output)
    assert.equal(await step.close(state, 170, 1), true)
    assert.equal(await step.close(state, 170, 1), false)
    const after = state.scans
    await step.close(state, 200 + 50 + 9, 1)
    assert.equal(state.scans, after)
    await step.close(state, 200 + 50 + 10, 1)
    assert.equal(state.size, 0)
  })

  it('holds no key of which nothing was counted', async () => {
    const step = rollingStep(measures)
    const state = new MemoryKeyedState(step.form)
    const results: unknown[] = []
    await step.take(state, { ...one(5, 0), values: [null] }, 0, {
      features: (_, { messages }) => results.push(messages),
      late: () => assert.fail(),
      failed: () => assert.fail(),
    })
    assert.deepEqual(results, [0])
    assert.equal(state.size, 0)
  })

  it('says what its state belongs to, and refuses what it is not', () => {
    const { form } = rollingStep({ n: { kind: 'count', overMs: 5 } }, { latenessMs: 3 })
    assert.equal(form.name, 'rolling { n: count over 5 ms } v1, lateness 3 ms')
    for (const bytes of ['', '[1,2]', '{}', '[1,null,{"times":[]}]', '[1,2,{"times":[1]},4]']) {
      const isRefused = (error: unknown) => codeOf(error) === 'STATE_UNREADABLE'
      assert.throws(() => form.decode(Buffer.from(bytes)), isRefused, bytes)
    }
    assert.throws(() => rollingStep(measures, { latenessMs: -1 }), /latenessMs/)
  })
})
