/** Types of what state gives: checked by the compiler, so these only have to compile. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tumbling } from '../transforms/window.ts'
import { pipeline } from './pipeline.ts'
import { rolling } from './rolling-feature.ts'
import { topic } from './topic.ts'

interface Payment {
  readonly card: string
  readonly amount: number
  readonly at: Date
}

const payments = topic<Payment>('payments')
const sums = topic<{ key: string; start: string; end: string; spent: number }>('sums')

describe('keyed streams', () => {
  it('know what a window gives', () => {
    const spent = pipeline('spent')
      .from(payments)
      .keyBy((payment) => payment.card)
      .window(tumbling('1m'))
      .aggregate('sums', (over) => ({ spent: over.sum((payment) => payment.amount) }))
      .to(sums)
    pipeline('wrong')
      .from(payments)
      .keyBy((payment) => payment.card)
      .window(tumbling('1m'))
      // @ts-expect-error: a text is no number
      .aggregate('sums', (over) => ({ spent: over.sum((payment) => payment.card) }))
    assert.ok(spent)
  })

  it('know that dates are texts behind a change of key', () => {
    pipeline('texts')
      .from(payments)
      .keyBy((payment) => payment.at.getTime())
      .window(tumbling('1m'))
      .aggregate('last', (over) => ({ at: over.last((payment) => payment.at.toUpperCase()) }))
    pipeline('dates')
      .from(payments)
      .keyBy()
      .window(tumbling('1m'))
      .aggregate('last', (over) => ({ at: over.last((payment) => payment.at.getTime()) }))
  })

  it('know which fields features can be made of', () => {
    const from = pipeline('features').from(payments)
    from
      .add({ spent: rolling.sum('amount', { by: 'card', over: '1h' }) })
      .map('known', ({ spent, amount }) => spent + amount)
    // @ts-expect-error: there is no such field
    from.add({ spent: rolling.sum('amounts', { by: 'card', over: '1h' }) })
    // @ts-expect-error: nor to go by
    from.add({ spent: rolling.sum('amount', { by: 'cards', over: '1h' }) })
    // @ts-expect-error: a text cannot be summed
    from.add({ spent: rolling.sum('card', { by: 'card', over: '1h' }) })
    // @ts-expect-error: the field exists already
    from.add({ amount: rolling.sum('amount', { by: 'card', over: '1h' }) })
    from
      .add({ mean: rolling.mean('amount', { over: '1h' }) })
      // @ts-expect-error: it may be null
      .map('wrong', ({ mean }) => mean.toFixed(2))
  })

  it('know which fields of another topic features can be made of', () => {
    const labels = topic<{ card: string; shop: string; fraud: boolean; loss: number | null }>('l')
    const from = pipeline('features').from(payments)
    const over = '1h'
    from
      .add({ lost: rolling.sum('loss', { by: 'card', over, from: labels }) })
      .add({ last: rolling.last('fraud', { by: 'card', over, from: labels, fromBy: 'shop' }) })
      .add({ labels: rolling.count({ by: 'card', over, from: labels }) })
      .add({ own: rolling.max('loss', { over, from: labels }) })
      .map('known', ({ lost, amount, labels: count, at }) => lost + amount + count + at.length)
    // @ts-expect-error: the other topic has no such field
    from.add({ lost: rolling.sum('amount', { by: 'card', over, from: labels }) })
    // @ts-expect-error: nor is it a number
    from.add({ lost: rolling.sum('fraud', { by: 'card', over, from: labels }) })
    // @ts-expect-error: messages have no such field to go by
    from.add({ lost: rolling.sum('loss', { by: 'shop', over, from: labels }) })
    // @ts-expect-error: nor has the other topic
    from.add({ lost: rolling.sum('loss', { by: 'card', over, from: labels, fromBy: 'till' }) })
    // @ts-expect-error: which has it under no other name
    from.add({ lost: rolling.sum('loss', { by: 'at', over, from: labels }) })
  })

  it('know what messages and timers of a process give', () => {
    const keyed = pipeline('timed').from(payments).keyBy()
    const silent = keyed.process('silent', {
      start: () => ({ since: 0 }),
      message: (state, { at }, { setTimer }) => {
        state.since = at.getTime()
        setTimer(state.since + 60_000)
      },
      timer: ({ since }, { key }) => ({ key, since }),
    })
    silent.map('known', ({ key, since }) => `${key} ${since.toFixed()}`)
    const both = keyed.process('both', {
      start: () => 0,
      message: (_, { amount }) => (amount > 0 ? amount : undefined),
      timer: (state) => (state > 0 ? 'late' : undefined),
    })
    both.map('known', (one: number | 'late') => one)
    // @ts-expect-error: it may be what the timer gave
    both.map('wrong', (one: number) => one)
    keyed
      .process('alone', { start: () => 0, message: (_, { card }) => card })
      .map('known', (card) => card.length)
  })
})
