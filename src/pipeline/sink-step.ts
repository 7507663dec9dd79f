/** Writes rows to a sink: the whole batch again when it says so, dead letters for what it refuses. */
import { orderOf } from '../core/errors.ts'
import type { Sink } from '../sinks/sink.ts'
import { type Failure, Invalid } from './decode.ts'
import type { Step } from './definition.ts'
import type { Rows } from './rows.ts'
import { addFailure, drop } from './step-context.ts'
import { SinkBatch } from './write.ts'

type Retry = <Result>(what: string, work: () => Result | Promise<Result>) => Promise<Result>

export async function writeToSink(
  sink: Sink,
  step: Step & { kind: 'to' },
  index: number,
  rows: Rows,
  partition: number,
  context: { readonly failures: Failure[] },
  retry: Retry,
): Promise<void> {
  const sinkBatch = new SinkBatch(step.name, partition)
  const dropped = new Set<number>()
  for (let row = 0; row < rows.count; row++) {
    try {
      sinkBatch.add(rows, row)
    } catch (error) {
      dropped.add(row)
      addFailure(context, rows, row, index, error)
    }
  }
  const { batch, rows: places } = sinkBatch.build()
  if (batch.count === 0) {
    drop(rows, dropped)
    return
  }
  try {
    await retry(`sink ${step.name}`, () => sink.write(batch))
  } catch (error) {
    if (orderOf(error) !== 'refused') throw error
    for (const refusal of (error as { refused: readonly { index: number; reason: string }[] })
      .refused) {
      const row = places[refusal.index]!
      dropped.add(row)
      addFailure(context, rows, row, index, new Invalid(refusal.reason))
    }
  }
  if (dropped.size > 0) drop(rows, dropped)
}
