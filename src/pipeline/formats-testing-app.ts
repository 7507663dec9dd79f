/** The application of formats.slow.test.ts: generated orders go into Avro, and from there into Protobuf. */
import { z } from 'zod'
import { avro, protobuf } from '../formats/index.ts'
import { generate } from '../sources/index.ts'
import { pipeline } from './pipeline.ts'
import { summary } from './summary.ts'
import { topic } from './topic.ts'

const Order = z.object({ id: z.string(), cents: z.number() })

/** What FORMATS_AVRO says, so that one application can be started with several schemas. */
const schema = process.env.FORMATS_AVRO ?? {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'cents', type: 'long' },
  ],
}
const register = process.env.FORMATS_REGISTER !== 'no'

const orders = topic('orders', {
  schema: Order,
  key: (order) => order.id,
  format: avro({ schema, register }),
})
const doubled = topic('doubled', {
  schema: Order,
  format: protobuf({
    schema: 'syntax = "proto3"; package shop; message Order { string id = 1; int64 cents = 2; }',
    register,
  }),
})

export const write = pipeline('write')
  .from(
    generate({
      name: 'orders',
      count: 1000,
      value: (index) => ({ id: `order ${index}`, cents: index }),
    }),
  )
  .to(orders)

export const double = pipeline('double')
  .from(orders)
  .map('double', (order) => ({ ...order, cents: order.cents * 2 }))
  .to(doubled)

export const total = summary(doubled, {
  start: () => ({ cents: 0 }),
  add: (state, order) => {
    state.cents += order.cents
  },
  figures: ({ cents }) => ({ cents }),
  line: ({ cents }) => `${cents} cents`,
})
