/** Types of look-ups: checked by the compiler, so these only have to compile. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { http } from '../lookups/http.ts'
import type { LookupUse } from '../lookups/lookup.ts'
import { pipeline } from './pipeline.ts'
import { topic } from './topic.ts'

interface Payment {
  readonly by: string
  readonly at: Date
}
const payments = topic<Payment>('payments')
const Customer = z.object({ tier: z.enum(['gold', 'none']), since: z.coerce.date() })
const customers = http({ url: 'https://crm.example.com/{key}', schema: Customer })

describe('look-ups', () => {
  it('add what their schema gives, or null', () => {
    const from = pipeline('left').from(payments)
    from
      .lookup('customer', customers, { by: (payment) => payment.by })
      .map('known', ({ customer, at }) => [customer?.since.getTime(), at.getTime()])
    from
      .lookup('customer', customers, { by: (payment) => payment.by, how: 'inner' })
      .map('known', ({ customer }) => customer.since.getTime())
    from
      .lookup('customer', customers, { by: (payment) => payment.by })
      // @ts-expect-error: it may be null
      .map('wrong', ({ customer }) => customer.since)
    from
      .lookup('customer', customers, { by: (payment) => payment.by, how: 'inner' })
      // @ts-expect-error: there is no such tier
      .filter('wrong', ({ customer }) => customer.tier === 'silver')
    assert.ok(from)
  })

  it('are asked by what can be a key, for a field that is not there yet', () => {
    const from = pipeline('keys').from(payments)
    from.lookup('pair', customers, { by: (payment) => [payment.by, 5] })
    from.lookup('maybe', customers, { by: (payment) => (payment.by === '' ? null : payment.by) })
    // @ts-expect-error: a Date is no key
    from.lookup('customer', customers, { by: (payment) => payment.at })
    // @ts-expect-error: there is no such field
    from.lookup('customer', customers, { by: (payment) => payment.customer })
    // @ts-expect-error: the field exists already
    from.lookup('by', customers, { by: (payment) => payment.by })
    const byNumber = {} as LookupUse<number, string>
    // @ts-expect-error: its keys are numbers
    assert.throws(() => from.lookup('number', byNumber, { by: (payment) => payment.by }))
  })

  it('are believed where they have no schema', () => {
    pipeline('believed')
      .from(payments)
      .lookup('rate', http<number>({ url: 'https://rates.example.com/{key}' }), {
        by: (payment) => payment.by,
        how: 'inner',
      })
      .map('known', ({ rate }) => rate.toFixed(2))
  })
})
