import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PanelBoard } from './board.ts'
import { bars, gauge, type Panel, panels, pie, table, text, timeLine } from './panel.ts'
import type {
  BarsView,
  GaugeView,
  PanelView,
  PieView,
  TableView,
  TimeLineView,
} from './panel-view.ts'

interface Mail {
  readonly id: string
  readonly label: string
  readonly score?: number | null
  readonly words?: readonly string[]
  readonly truth?: { readonly label: string }
}

const mails = { name: 'mails' } as { readonly name: string; readonly '~reads'?: () => Mail }
const hour = 3_600_000

/** What one panel shows after some messages. */
function shown(panel: Panel, values: readonly (readonly [unknown, number])[]): PanelView {
  const board = new PanelBoard([panels('Mails', [panel])])
  for (const [value, timeMs] of values) board.add('mails', value, timeMs)
  return board.view()[0]!.panels[0]!
}

const at = (...values: readonly unknown[]) => values.map((value) => [value, 0] as const)

describe('panels: pie and bars', () => {
  it('count values, the greatest first, equal ones by name, and put the rest together', () => {
    const labels = ['a', 'b', 'b', 'c', 'd', 'b', 'c', '__proto__']
    const view = shown(
      pie(mails, { title: 'Labels', by: 'label', top: 2 }),
      at(...labels.map((label) => ({ label }))),
    ) as PieView
    assert.deepEqual(view.slices, [
      { name: 'b', value: 3 },
      { name: 'c', value: 2 },
    ])
    assert.equal(view.others, 3)
    assert.equal(view.messages, 8)
    assert.equal(view.isApproximate, false)
  })

  it('count a message once in each entry of a list, and nothing where there is no value', () => {
    const view = shown(
      bars(mails, { title: 'Words', by: 'words' }),
      at({ words: ['x', 'y', 'x'] }, { words: ['y'] }, { words: [] }, {}, { words: null }, null),
    ) as BarsView
    assert.deepEqual(view.slices, [
      { name: 'y', value: 2 },
      { name: 'x', value: 1 },
    ])
  })

  it('take in only messages that meet the conditions', () => {
    const where = { label: ['spam', 'eggs'], 'truth.label': 'spam' }
    const view = shown(
      bars(mails, { title: 'Ids', by: 'id', where, value: { mean: 'score' } }),
      at(
        { id: 'a', label: 'spam', score: 1, truth: { label: 'spam' } },
        { id: 'a', label: 'eggs', score: 2, truth: { label: 'spam' } },
        { id: 'b', label: 'ham', score: 9, truth: { label: 'spam' } },
        { id: 'c', label: 'spam', score: 9, truth: { label: 'ham' } },
        { id: 'd', label: 'spam', truth: { label: 'spam' } },
      ),
    ) as BarsView
    assert.deepEqual(view.slices, [{ name: 'a', value: 1.5 }])
    assert.equal(view.messages, 3)
    assert.equal(view.unit, 'number')
  })

  it('keep the commonest of a great many values and say that they are about right', () => {
    const often = Array.from({ length: 50 }, () => 'often')
    const rare = Array.from({ length: 60_000 }, (_, index) => `rare-${index}`)
    const labels = [...often, ...rare, ...often]
    const view = shown(
      pie(mails, { title: 'Labels', by: 'label', top: 1 }),
      at(...labels.map((label) => ({ label }))),
    ) as PieView
    assert.deepEqual(view.slices, [{ name: 'often', value: 100 }])
    assert.equal(view.others, 60_000)
    assert.equal(view.isApproximate, true)
  })
})

describe('panels: gauge', () => {
  const values = at({ score: 1 }, { score: 4 }, { score: null }, { score: 'x' }, {}, { score: -2 })
  const measured = (value: Parameters<typeof gauge<Mail>>[1]['value']) =>
    shown(gauge(mails, { title: 'Score', value }), values) as GaugeView

  it('shows each measure, of those that have the field', () => {
    assert.equal(measured('count').value, 6)
    assert.equal(measured({ mean: 'score' }).value, 1)
    assert.equal(measured({ sum: 'score' }).value, 3)
    assert.equal(measured({ min: 'score' }).value, -2)
    assert.equal(measured({ max: 'score' }).value, 4)
    assert.equal(measured({ share: { score: [1, 4] } }).value, 2 / 6)
    assert.equal(measured({ share: { score: 1 } }).unit, 'share')
  })

  it('shows nothing where nothing came, not zero', () => {
    const view = shown(gauge(mails, { title: 'Score', value: { mean: 'score' } }), []) as GaugeView
    assert.deepEqual([view.value, view.min, view.max, view.messages], [null, 0, 1, 0])
  })
})

describe('panels: time line', () => {
  it('has a point a stretch of time, in order, whatever order messages came in', () => {
    const view = shown(
      timeLine(mails, {
        ...{ title: 'Score', every: '1h' },
        values: { mean: { mean: 'score' }, spam: { share: { label: 'spam' } } },
      }),
      [
        [{ score: 5, label: 'spam' }, 3 * hour + 1],
        [{ score: 1, label: 'ham' }, hour],
        [{ score: 2, label: 'spam' }, 2 * hour - 1],
        [{ label: 'ham' }, 7 * hour],
      ],
    ) as TimeLineView
    assert.equal(view.everyMs, hour)
    assert.deepEqual(view.timesMs, [hour, 3 * hour, 7 * hour])
    assert.deepEqual(view.series, [
      { name: 'mean', unit: 'number', values: [1.5, 5, null] },
      { name: 'spam', unit: 'share', values: [0.5, 1, 0] },
    ])
  })

  it('has a line a value of a field, the ninth and later together', () => {
    const values = Array.from({ length: 12 }, (_, index) => [{ label: `l${index}` }, 0] as const)
    const view = shown(
      timeLine(mails, { title: 'Labels', by: 'label', values: { mails: 'count' }, every: '1d' }),
      values,
    ) as TimeLineView
    assert.equal(view.series.length, 9)
    assert.deepEqual(view.series.at(-1), { name: 'all others', unit: 'count', values: [4] })
  })

  it('grows its points with the time that it covers, and loses no message', () => {
    const times = fc.array(fc.integer({ min: -4e12, max: 4e12 }), { minLength: 1, maxLength: 600 })
    const property = fc.property(times, (timesMs) => {
      const view = shown(
        timeLine(mails, { title: 'Mails', values: { mails: 'count' } }),
        timesMs.map((timeMs) => [{}, timeMs] as const),
      ) as TimeLineView
      assert.ok(view.timesMs.length <= 600)
      const expected = new Map<number, number>()
      for (const timeMs of timesMs) {
        const start = Math.floor(timeMs / view.everyMs) * view.everyMs
        expected.set(start, (expected.get(start) ?? 0) + 1)
      }
      const points = [...expected].sort(([a], [b]) => a - b)
      assert.deepEqual(
        view.timesMs.map((time, index) => [time, view.series[0]!.values[index]]),
        points,
      )
    })
    fc.assert(property, { numRuns: 60 })
  })

  it('stays bounded with times from everywhere', () => {
    const view = shown(
      timeLine(mails, { title: 'Mails', values: { mails: 'count' }, every: '1s' }),
      Array.from({ length: 10_000 }, (_, index) => [{}, index * 1000] as const),
    ) as TimeLineView
    assert.ok(view.timesMs.length <= 2000)
    assert.equal(view.timesMs.at(-1), 9_999_000)
  })
})

describe('panels: table and text', () => {
  it('shows the newest messages, cells as plain values, long ones cut', () => {
    const view = shown(
      table(mails, {
        title: 'Newest',
        columns: ['id', 'score', 'words', 'truth.label'],
        newest: 2,
      }),
      [
        [{ id: 'new', score: 1, words: ['x', 'y'], truth: { label: 'spam' } }, 9],
        [{ id: 'old' }, 1],
        [{ id: 'y'.repeat(1000) }, 5],
      ],
    ) as TableView
    assert.deepEqual(view.rows[0], ['new', 1, 'x, y', 'spam'])
    assert.equal(view.rows.length, 2)
    assert.equal((view.rows[1]![0] as string).length, 301)
    assert.deepEqual(view.rows[1]!.slice(1), [null, null, null])
  })

  it('breaks text into paragraphs', () => {
    const view = shown(text({ title: 'About', text: 'One\n  line.\n\nTwo.' }), [])
    assert.deepEqual(view.kind === 'text' && view.paragraphs, ['One line.', 'Two.'])
  })
})

describe('panels: declarations', () => {
  const refused = (declare: () => unknown, words: RegExp) =>
    assert.throws(declare, (error: { code?: string; message?: string }) => {
      assert.equal(error.code, 'OPTIONS_INVALID')
      assert.match(error.message!, words)
      return true
    })

  it('are refused with the name of the panel and what to write', () => {
    refused(
      () => pie(mails, { title: 'Labels', byy: 'label' } as never),
      /pie 'Labels': .*unknown option 'byy'.*by/,
    )
    refused(() => gauge(mails, { title: 'X', value: 'mean' as never }), /gauge 'X'.*\{ mean: field/)
    refused(
      () => timeLine(mails, { title: 'X', values: { a: 'count' }, every: '5 minutes' }),
      /option 'every': write '10s'/,
    )
    refused(
      () => timeLine(mails, { title: 'X', by: 'label', values: { a: 'count', b: 'count' } }),
      /with by there is one value/,
    )
    refused(() => gauge(mails, { title: 'X', value: 'count', min: 2, max: 1 }), /min must be below/)
    refused(() => pie({} as never, { title: 'X', by: 'a' }), /the first argument is the topic/)
    refused(() => text({ title: '', text: 'x' }), /title/)
  })

  it('check fields by their types', () => {
    // @ts-expect-error: there is no such field
    pie(mails, { title: 'X', by: 'lable' })
    // @ts-expect-error: a mean of texts
    gauge(mails, { title: 'X', value: { mean: 'label' } })
    // @ts-expect-error: a label is no number
    gauge(mails, { title: 'X', value: { share: { label: 3 } } })
    const untyped = { name: 'any' } as { readonly name: string; readonly '~reads'?: () => unknown }
    assert.equal(pie(untyped, { title: 'X', by: 'whatever.it.is' }).kind, 'pie')
  })
})
