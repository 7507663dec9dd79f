/** A test tool: partitions of a pipeline that does not exist, shared by two processes. */
import type { PartitionState, PipelinePlan } from '../src/server/state.ts'

const owners = [
  { member: '4f1f7d1c-0000-4000-8000-000000000001', host: 'mill-1.example.internal', pid: 4711 },
  { member: '4f1f7d1c-0000-4000-8000-000000000002', host: 'mill-2.example.internal', pid: 12_345 },
  { member: null, host: null, pid: null },
] as const

/** `lagMessages` waits in the first partition; the last is nobody's. */
export function fakePartitions(
  { name, inputs }: PipelinePlan,
  read: number,
  lagMessages: number,
): PartitionState[] {
  return inputs.flatMap(({ kind, name: input }): PartitionState[] => {
    if (kind === 'source') {
      const none = { end: null, lagMessages: null, lagSeconds: null }
      return [{ topic: `${name}.${input}`, partition: 0, position: read, ...none, ...owners[0] }]
    }
    return [0, 1, 2, 3].map((partition) => {
      const lag = partition === 0 ? lagMessages : 0
      const position = Math.floor(read / 4) - lag
      return {
        ...{ topic: input, partition, position, end: position + lag, lagMessages: lag },
        lagSeconds: lag * 0.37,
        ...owners[partition === 3 ? 2 : partition % 2]!,
      }
    })
  })
}
