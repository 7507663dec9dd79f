/**
 * Started by startGuardian: reads on its standard input, line by line, what there is to end; when the
 * input ends, whoever held the other end is gone, and it ends what the last line named.
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Guarded, hasEnded, signalTo } from './processes.ts'

let last: Guarded = {}
for await (const line of createInterface({ input: process.stdin })) {
  last = JSON.parse(line) as Guarded
}
for (const one of last.processes ?? []) signalTo(one, 'SIGKILL')
for (const name of last.containers ?? []) spawnSync('docker', ['rm', '--force', name])
for (const one of last.processes ?? []) await hasEnded(one, 5_000)
if (last.directory !== undefined) rmSync(last.directory, { recursive: true, force: true })
