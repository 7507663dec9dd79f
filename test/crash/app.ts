/**
 * The application that the crash suite kills: every kind of step, dead letters of several kinds, a
 * trained model, a join, a file. All that it writes follows from the messages alone, so two runs of
 * it, however often interrupted, must agree by id and value.
 */
import { join } from 'node:path'
import { classifier, type Message, pipeline, summary, topic } from 'millrace'
import { textClassifier } from 'millrace/models'
import { file } from 'millrace/sinks'
import { files, generate } from 'millrace/sources'
import { tumbling } from 'millrace/transforms'
import { z } from 'zod'

/** Orders, and as many labels; the notes come from a file with as many lines as `noteCount`. */
const orderCount = Number(process.env.CRASH_ORDERS ?? 2000)
const folder = process.env.MILLRACE_DIR ?? '.'
export const notesPath = process.env.CRASH_NOTES ?? join(folder, 'notes.ndjson')
export const linesPath = join(folder, 'matched.ndjson')

const Order = z.object({ order: z.string(), shop: z.string(), seq: z.int(), text: z.string() })
const Truth = z.object({ item: z.string(), label: z.enum(['dear', 'fine']) })
const Note = z.object({ note: z.string(), seq: z.int() })

interface Scored {
  readonly item: string
  readonly shop: string
  readonly seq: number
  readonly mood: { readonly label: 'dear' | 'fine'; readonly score: number }
}
interface Matched extends Scored {
  readonly truth: z.output<typeof Truth>
}

interface Group {
  readonly key: string
  readonly start: string
  readonly end: string
  readonly orders: number
  readonly seq: number
}

const startedAt = Date.UTC(2020, 0, 1)

const orders = topic('orders', { schema: Order, key: (order) => order.shop, partitions: 3 })
const truths = topic('truths', { schema: Truth, key: (truth) => truth.item, partitions: 2 })
const scored = topic<Scored>('scored', { key: (one) => one.item, partitions: 2 })
export const matched = topic<Matched>('matched', { partitions: 2, compression: 'zstd' })
const notes = topic('notes', {
  ...{ schema: Note, partitions: 1, compression: 'gzip' },
  // A row of a file has the time at which the file was first opened: another one each run.
  time: (note) => startedAt + note.seq,
})

const words = ['cheap', 'good', 'costly', 'poor', 'quick', 'slow', 'fair', 'bold']
/** Some lack what the schema asks for: dead letters of the pipeline that brings them in. */
function orderOf(index: number, random: () => number) {
  const word = () => words[Math.floor(random() * words.length)]!
  const order = { order: `o${index}`, shop: `s${Math.floor(random() * 11)}`, seq: index }
  if (index % 97 === 13) return order
  return { ...order, text: `${word()} ${word()} ${word()}`, extra: 'x'.repeat(random() * 80) }
}

export const ingestOrders = pipeline('ingest-orders')
  .from(
    generate({
      name: 'orders',
      count: orderCount,
      value: orderOf,
      // Some come when their window is closed.
      time: (_, index) => startedAt + index - (index % 31 === 3 ? 400 : 0),
    }),
  )
  .map('as-order', (order) => order as z.output<typeof Order>)
  .to(orders)

export const ingestTruths = pipeline('ingest-truths')
  .from(
    generate({
      name: 'truths',
      count: orderCount,
      value: (index, random) => ({
        // In another order than the orders: sometimes the truth waits, sometimes the order does.
        item: `o${(index * 7) % orderCount}/1`,
        label: random() < 0.5 ? ('dear' as const) : ('fine' as const),
      }),
      time: (_, index) => startedAt + index,
    }),
  )
  .to(truths)

/** A file with lines that are no JSON, or no notes. */
export const ingestNotes = pipeline('ingest-notes')
  .from(files<z.output<typeof Note>>({ path: notesPath }))
  .map('stamped', (note) => ({ ...note, seq: note.seq * 2 }))
  .to(notes)

const mood = classifier('mood', {
  labels: ['dear', 'fine'],
  train: async ({ progress }) => {
    progress('training the mood')
    const texts = ['costly poor slow', 'cheap good quick', 'costly bold', 'fair good']
    const model = textClassifier().fit(texts, ['dear', 'fine', 'dear', 'fine'])
    return { classifier: model, details: {} }
  },
})

export const score = pipeline('score')
  .from(orders)
  .filter('not-bold', (order) => !order.text.startsWith('bold'))
  .flatMap('items', ({ text, ...order }) => {
    if (order.seq % 53 === 7) throw new RangeError(`order ${order.seq} has no items`)
    const count = order.seq % 3
    return Array.from({ length: count }, (_, place) => ({
      item: `${order.order}/${place + 1}`,
      shop: order.shop,
      seq: order.seq,
      text: text.split(' ').slice(place).join(' '),
    }))
  })
  .predict('mood', mood, {
    input: (item) => {
      if (item.seq % 71 === 5) throw new TypeError(`item ${item.item} cannot be read`)
      return item.text
    },
  })
  .map('without-text', ({ text: _, ...item }) => item)
  .to(scored)

export const match = pipeline('match')
  .from(scored)
  .join('truth', truths)
  .map('checked', (one: Matched) => {
    if (one.seq % 59 === 11) throw new Error(`match of ${one.item} fails`)
    return one
  })
  .to(matched)

export const grouped = topic<Group>('grouped', { partitions: 2 })
export const lateOrders = topic<z.output<typeof Order>>('late-orders', { partitions: 2 })

export const group = pipeline('group')
  .from(orders)
  .keyBy((order) => {
    if (order.seq % 83 === 17) throw new RangeError(`order ${order.seq} has no group`)
    return order.seq % 7
  })
  .window(tumbling(150, { lateness: 30 }))
  .aggregate(
    'groups',
    (over) => ({
      orders: over.count(),
      seq: over.sum((order) => {
        if (order.seq % 61 === 19) throw new RangeError(`order ${order.seq} cannot be added`)
        return order.seq
      }),
    }),
    { late: lateOrders },
  )
  .map('checked', (one: Group) => {
    if (one.orders % 13 === 4) throw new Error(`group ${one.key} of ${one.start} fails`)
    return one
  })
  .to(grouped)

/** What a shop did between two pauses: told by a timer, which comes before the message that ends it. */
export const pauses = pipeline('pauses')
  .from(orders)
  .keyBy()
  .process('pause', {
    start: () => ({ orders: [] as number[], ended: 0 }),
    message(state, { seq }, at) {
      if (seq % 101 === 23) throw new RangeError(`order ${seq} cannot be kept`)
      state.orders.push(seq)
      if (seq % 37 === 4) at.clearTimer()
      else at.setTimer(at.timeMs + 20)
      return seq % 5 === 1 ? { shop: at.key, orders: [seq], ended: state.ended } : undefined
    },
    timer(state, at) {
      const { orders: told, ended } = state
      if (told.length % 11 === 7) throw new RangeError(`${told.length} orders are too many`)
      state.orders = []
      state.ended++
      if (ended % 13 === 2) at.setTimer(at.timeMs + 5)
      if (ended % 17 === 5) at.forget()
      return { shop: at.key, orders: told, ended }
    },
  })
  .map('checked', (one) => {
    if (one.orders.length > 1 && one.ended % 19 === 7)
      throw new Error(`a pause of ${one.shop} fails`)
    return one
  })
  .to(topic<{ shop: string; orders: number[]; ended: number }>('pauses', { partitions: 2 }))

export const keep = pipeline('keep')
  .from(matched)
  .map('with-place', (one, message: Message) => ({ ...one, partition: message.partition }))
  .to(file({ path: linesPath, envelope: true, overwrite: true }))

export const counts = summary(matched, {
  start: () => ({ matched: 0, agreed: 0 }),
  add: (state, one) => {
    state.matched++
    if (one.mood.label === one.truth.label) state.agreed++
  },
  figures: (state) => ({ ...state }),
  line: (state) => `${state.matched} matched`,
})
