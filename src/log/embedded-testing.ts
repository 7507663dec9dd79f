/** What tests of the embedded log are written with. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchBuilder } from '../core/batch-builder.ts'
import { messagesOf } from '../core/message.ts'
import { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from './embedded.ts'
import type { Log, Output } from './log.ts'

/** Runs `work` with a new directory and a way to open logs on it; closes and removes all of it. */
export async function withDirectory(
  work: (
    directory: string,
    open: (options?: Partial<EmbeddedLogOptions>) => Promise<EmbeddedLog>,
  ) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  const handles: EmbeddedLog[] = []
  try {
    await work(directory, async (options = {}) => {
      const handle = await openEmbeddedLog({ directory, maintain: false, ...options })
      handles.push(handle)
      return handle
    })
  } finally {
    for (const handle of handles) await handle.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Messages to partition 0: values, or keys with values. */
export function output(topic: string, values: readonly (string | [string, string])[]): Output {
  const builder = new BatchBuilder(topic, 0)
  for (const one of values) {
    const [key, value] = typeof one === 'string' ? [null, one] : one
    builder.append(key, value, 1_700_000_000_000)
  }
  return { topic, partition: 0, batch: builder.build() }
}

/** All values of a partition, in order. */
export async function valuesOf(log: Log, topic: string, partition = 0): Promise<string[]> {
  const values: string[] = []
  for (let offset = 0; ; ) {
    const batch = await log.read(topic, partition, offset)
    if (batch === undefined) return values
    for (const message of messagesOf(batch)) values.push(String(message.value))
    offset = batch.nextOffset
  }
}
