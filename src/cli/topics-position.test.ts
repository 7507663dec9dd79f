import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Command } from 'commander'
import { parsePosition, parseStart } from './topics-position.ts'

describe('--start', () => {
  const start = (...words: string[]) =>
    new Command('run')
      .option('--start <place>', 'where', parseStart)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .parse(words, { from: 'user' })
      .opts().start

  it('says a place of all topics, of one, or of a partition', () => {
    const all = (position: object) => [{ topic: undefined, partition: undefined, position }]
    assert.deepEqual(start('--start', 'earliest'), all({ kind: 'start' }))
    assert.deepEqual(start('--start', 'latest'), all({ kind: 'end' }))
    assert.deepEqual(start('--start', '-1h30m'), all({ kind: 'ago', agoMs: 5_400_000 }))
    const timeMs = Date.UTC(2026, 10, 1)
    assert.deepEqual(start('--start=2026-11-01T00:00Z'), all({ kind: 'time', timeMs }))
    assert.deepEqual(start('--start', 'orders.eu/12=34, pay_2=latest,-2d'), [
      { topic: 'orders.eu', partition: 12, position: { kind: 'offset', offset: 34 } },
      { topic: 'pay_2', partition: undefined, position: { kind: 'end' } },
      { topic: undefined, partition: undefined, position: { kind: 'ago', agoMs: 172_800_000 } },
    ])
  })

  it('refuses what is no place, and an offset without its partition', () => {
    for (const text of ['', 'lates', '-1', '-1h2', 'orders/x=1', 'orders=', '1h', '2026-13-01']) {
      assert.throws(() => start('--start', text), /earliest, latest, an offset, a time/, text)
    }
    assert.throws(() => start('--start', '12'), /name its partition: TOPIC\/PARTITION=12/)
    assert.throws(() => start('--start', 'orders=12'), /a place in one partition/)
  })

  it("takes Kafka's words wherever a place is asked for", () => {
    assert.deepEqual(parsePosition('latest'), parsePosition('end'))
    assert.deepEqual(parsePosition('earliest'), parsePosition('start'))
  })
})
