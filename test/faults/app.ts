/**
 * The application of the fault suite: two sources, a pipeline that predicts, one that joins. All that
 * it writes follows from its messages alone, so two runs of it must agree by id and value. Names
 * begin with FAULT_RUN, so that many runs share a cluster.
 */
import { classifier, pipeline, summary, topic } from 'millrace'
import { textClassifier } from 'millrace/models'
import { generate } from 'millrace/sources'
import { z } from 'zod'

const run = process.env.FAULT_RUN ?? 'faults'
const count = Number(process.env.FAULT_ORDERS ?? 1000)
const partitions = 3
const startedAt = Date.UTC(2020, 0, 1)
/** No longer than a topic allows, and longer once it is written twice. */
const longText = 'x'.repeat(700 * 1024)

const Order = z.object({ order: z.string(), shop: z.string(), seq: z.int(), text: z.string() })
const Truth = z.object({ order: z.string(), label: z.enum(['dear', 'fine']) })

interface Scored {
  readonly order: string
  readonly seq: number
  readonly text: string
  readonly mood: { readonly label: 'dear' | 'fine'; readonly score: number }
}
interface Matched extends Scored {
  readonly truth: z.output<typeof Truth>
}

const orders = topic(`${run}-orders`, { schema: Order, key: (order) => order.shop, partitions })
const truths = topic(`${run}-truths`, { schema: Truth, key: (truth) => truth.order, partitions })
const scored = topic<Scored>(`${run}-scored`, { key: (one) => one.order, partitions })
export const matched = topic<Matched>(`${run}-matched`, { partitions, compression: 'zstd' })

const words = ['cheap', 'good', 'costly', 'poor', 'quick', 'slow', 'fair', 'bold']

export const ingestOrders = pipeline(`${run}-ingest-orders`)
  .from(
    generate({
      name: 'orders',
      count,
      value(index, random) {
        const word = () => words[Math.floor(random() * words.length)]!
        const order = { order: `o${index}`, shop: `s${Math.floor(random() * 11)}`, seq: index }
        // Some lack what the schema asks for: dead letters of their own pipeline.
        return index % 97 === 13 ? order : { ...order, text: `${word()} ${word()} ${word()}` }
      },
      time: (_, index) => startedAt + index,
    }),
  )
  .map('as-order', (order) => order as z.output<typeof Order>)
  .to(orders)

export const ingestTruths = pipeline(`${run}-ingest-truths`)
  .from(
    generate({
      name: 'truths',
      count,
      value: (index, random) => ({
        // In another order than the orders: sometimes the truth waits, sometimes the order does.
        order: `o${(index * 7) % count}`,
        label: random() < 0.5 ? ('dear' as const) : ('fine' as const),
      }),
      time: (_, index) => startedAt + index,
    }),
  )
  .to(truths)

const mood = classifier('mood', {
  labels: ['dear', 'fine'],
  train: async () => {
    const texts = ['costly poor slow', 'cheap good quick', 'costly bold', 'fair good']
    const model = textClassifier().fit(texts, ['dear', 'fine', 'dear', 'fine'])
    return { classifier: model, details: {} }
  },
})

export const score = pipeline(`${run}-score`)
  .from(orders)
  .filter('not-bold', (order) => !order.text.startsWith('bold'))
  .map('checked', (order) => {
    if (order.seq % 53 === 7) throw new RangeError(`order ${order.seq} fails`)
    return order
  })
  .predict('mood', mood, { input: (order) => order.text })
  .map('for-matching', ({ order, seq, text, mood: found }) => {
    // A message larger than topics allow: a dead letter.
    if (seq % 401 === 200) return { order, seq, text: `${longText}${longText}`, mood: found }
    // And some that fit, unless somebody lowers the limit.
    return { order, seq, text: seq % 37 === 5 ? text.padEnd(6000, '.') : text, mood: found }
  })
  .to(scored)

export const match = pipeline(`${run}-match`)
  .from(scored)
  .join('truth', truths)
  .map('compared', (one: Matched) => {
    if (one.seq % 59 === 11) throw new Error(`match of ${one.order} fails`)
    return one
  })
  .to(matched)

export const counts = summary(matched, {
  start: () => ({ matched: 0, agreed: 0 }),
  add: (state, one) => {
    state.matched++
    if (one.mood.label === one.truth.label) state.agreed++
  },
  figures: (state) => ({ ...state }),
  line: (state) => `${state.matched} matched`,
})
