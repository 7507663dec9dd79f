import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipelineTest } from 'millrace/testing'
import { z } from 'zod'
import { http } from '../lookups/http.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { topic } from '../pipeline/topic.ts'

const Rate = z.object({ rate: z.number() })
const orders = topic<{ currency: string; amount: number }>('orders', { partitions: 2 })
const priced = topic<unknown>('priced', { partitions: 1 })
const price = pipeline('price')
  .from(orders)
  .lookup('rate', http({ url: 'https://rates.invalid/{key}', schema: Rate }), {
    by: (order) => order.currency,
    how: 'inner',
    cache: { timeToLive: '5m', negativeTimeToLive: '1m' },
  })
  .map('euros', ({ amount, rate }) => ({ euros: amount * rate.rate }))
  .to(priced)

const eur = { currency: 'EUR', amount: 3 }

describe('look-ups in pipelineTest', () => {
  it('are answered by what stands in for the other system, and remembered by the clock of the test', async () => {
    let rate = 1
    const asked: string[] = []
    const lookups = {
      rate: async (keys: readonly string[]) => {
        asked.push(...keys)
        return keys.map((key) => (key === 'EUR' ? { rate } : key === 'bad' ? {} : null))
      },
    }
    await pipelineTest(price, { lookups }, async (t) => {
      await t.push(orders, [eur, { currency: 'ZZZ', amount: 1 }, { currency: 'bad', amount: 1 }])
      await t.run()
      await t.expectOutputs(priced, [{ euros: 3 }])
      rate = 2
      await t.advance('30s')
      await t.push(orders, [eur, { currency: 'ZZZ', amount: 1 }])
      await t.run()
      await t.expectOutputs(priced, [{ euros: 3 }])
      assert.deepEqual(asked.toSorted(), ['EUR', 'ZZZ', 'bad'])
      await t.advance('40s')
      await t.push(orders, [eur, { currency: 'ZZZ', amount: 1 }])
      await t.run()
      await t.expectOutputs(priced, [{ euros: 3 }])
      assert.deepEqual(asked.toSorted(), ['EUR', 'ZZZ', 'ZZZ', 'bad'])
      await t.advance('4m')
      await t.push(orders, eur)
      await t.run()
      await t.expectOutputs(priced, [{ euros: 6 }])
      assert.deepEqual(asked.toSorted(), ['EUR', 'EUR', 'ZZZ', 'ZZZ', 'bad'])
      const [letter, ...others] = await t.deadLetters('price')
      assert.deepEqual([letter!.step, others.length], ['rate', 0])
      assert.match(
        letter!.message,
        /http https:\/\/rates.invalid\/\{key\} has .* does not fit: rate: /,
      )
      const { passed, filtered, deadLettered } = (await t.ledger('price')).steps.rate!
      assert.deepEqual([passed, filtered, deadLettered], [4, 3, 1])
    })()
  })

  it('are asked again after a crash, and nothing is lost or doubled', async () => {
    let asked = 0
    const lookups = {
      rate: (keys: readonly string[]) => {
        asked++
        return keys.map(() => ({ rate: 1 }))
      },
    }
    for (const step of ['prepared', 'written', 'committed'] as const) {
      asked = 0
      await pipelineTest(price, { lookups }, async (t) => {
        await t.push(orders, eur)
        await t.crash(step, { pipeline: 'price' })
        await t.restart()
        await t.run()
        assert.equal((await t.messages(priced)).length, 1)
        assert.equal(asked, step === 'committed' ? 1 : 2)
      })()
    }
  })

  it('fail the test where nothing stands in, or where it is wrong', async () => {
    const run = (lookups?: Record<string, never>) => pipelineTest(price, { lookups }, () => 0)()
    await assert.rejects(run(), {
      code: 'TEST_INVALID',
      message: /step 'rate' looks up in http .*pipelineTest\(app, \{ lookups: \{ 'rate': \(keys\)/,
    })
    const wrong = () => [] as never
    await assert.rejects(
      run({ rat: wrong as never }),
      /no step looks up 'rat'; did you mean 'rate'/,
    )
    await assert.rejects(run({ rate: 5 as never }), /'rate' is to be a function of the keys/)
  })
})
