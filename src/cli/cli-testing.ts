/** For tests of commands: a state directory of their own, and what a command prints and says. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { BatchBuilder } from '../core/batch-builder.ts'
import { openEmbeddedLog } from '../log/embedded.ts'
import type { Log } from '../log/log.ts'
import type { CommandContext } from './context.ts'

export interface Workshop {
  readonly directory: string
  readonly context: () => CommandContext
  /** Works with the log that the commands see. */
  log(work: (log: Log) => Promise<void>): Promise<void>
  /** Runs a command and gives what it printed; `said` has the words for people. */
  run(command: Command, ...words: string[]): Promise<string>
  readonly said: string[]
  close(): Promise<void>
}

export async function openWorkshop(columns?: number): Promise<Workshop> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-cli-'))
  const printed: string[] = []
  const said: string[] = []
  const closed = new AbortController().signal
  const print = async (text: string) => void printed.push(text)
  const output = { columns, closed, print, say: (text: string) => void said.push(text) }
  return {
    directory,
    said,
    context: () => ({ directory, output }),
    async log(work) {
      const log = await openEmbeddedLog({ directory, maintain: false, durability: 'process' })
      try {
        await work(log)
      } finally {
        await log.close()
      }
    },
    async run(command, ...words) {
      printed.length = 0
      said.length = 0
      quieten(command, said)
      await command.parseAsync(words, { from: 'user' })
      return printed.join('\n')
    },
    close: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Throws instead of ending the process, and writes nothing. */
function quieten(command: Command, said: string[]): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => void said.push(text),
    writeErr: (text) => void said.push(text),
  })
  for (const child of command.commands) quieten(child, said)
}

/** Appends values to one partition, one message a value, their times a second apart. */
export async function put(
  log: Log,
  topic: string,
  partition: number,
  values: readonly (string | Buffer | null)[],
  startMs = Date.UTC(2026, 0, 1),
): Promise<void> {
  const builder = new BatchBuilder(topic, partition)
  values.forEach((value, index) => {
    builder.append(`key ${index}`, value, startMs + index * 1000)
  })
  await log.commit({ outputs: [{ topic, partition, batch: builder.build() }] })
}
