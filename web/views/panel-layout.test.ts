import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Board, PanelView } from '../../src/server/state.ts'
import {
  cellText,
  inOrder,
  isNumeric,
  placeOn,
  widePlaces,
  widestColumn,
  writers,
} from './panel-layout.ts'

const board = (app: string, atMs: number): Board => ({ app, atMs, sections: [] })
const wideOf = (...kinds: PanelView['kind'][]) => [
  ...widePlaces(kinds.map((kind) => ({ kind }) as PanelView)),
]

describe('web: layout of panels', () => {
  it('keeps the places of applications that run, and puts the others behind', () => {
    const boards = [board('c', 99_000), board('a', 20_000), board('b', 98_000)]
    assert.deepEqual(
      inOrder(boards, 100_000).map(({ app }) => app),
      ['b', 'c', 'a'],
    )
  })

  it('leaves no place empty beside a card', () => {
    assert.deepEqual(wideOf('pie', 'bars'), [])
    assert.deepEqual(wideOf('gauge', 'pie', 'bars'), [2])
    assert.deepEqual(wideOf('timeLine', 'pie', 'bars'), [0])
    assert.deepEqual(wideOf('pie', 'timeLine', 'bars'), [2])
    assert.deepEqual(wideOf('pie', 'table', 'pie', 'bars'), [1, 0])
    assert.deepEqual(wideOf('table'), [0])
    assert.deepEqual(wideOf(), [])
  })

  it('writes figures by their unit', () => {
    assert.equal(writers.share.write(0.9731), '97.3 %')
    assert.equal(writers.share.atAxis(0.05), '5 %')
    assert.equal(writers.count.write(1234), '1.2 k')
    assert.equal(writers.number.write(0.9531), '0.953')
    assert.equal(writers.number.write(3), '3')
    assert.equal(writers.number.write(12_345.6), '12 k')
    assert.deepEqual([12_500, 15_000, 0.25, 0].map(writers.count.atAxis), [
      '12.5 k',
      '15 k',
      '0.25',
      '0',
    ])
  })

  it('holds values to the scale', () => {
    assert.deepEqual(
      [-1, 0, 5, 11].map((value) => placeOn(value, 0, 10)),
      [0, 0, 0.5, 1],
    )
  })

  it('reads tables: numbers to the right, the longest text wide', () => {
    const rows = [
      ['a', 1, null, 'x'.repeat(50)],
      ['b', null, null, 'y'],
    ]
    assert.deepEqual(
      [0, 1, 2, 3].map((column) => isNumeric(rows, column)),
      [false, true, false, false],
    )
    assert.equal(widestColumn(rows, 4), 3)
    assert.equal(widestColumn(rows, 3), undefined)
    assert.deepEqual([2014, 0.1 + 0.2, null, true].map(cellText), ['2014', '0.3', '-', 'true'])
  })
})
