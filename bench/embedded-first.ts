/** From the start of the process to the first prediction that can be read, a message waiting. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openEmbeddedLog } from '../src/log/embedded.ts'
import { append, makeTweets } from './embedded-load.ts'
import { appPath, prepare } from './embedded-saturated.ts'

const bin = fileURLToPath(new URL('../bin/millrace.js', import.meta.url))

/** Milliseconds, the middle of three starts. */
export async function firstPrediction(directory: string): Promise<number> {
  await prepare(directory)
  const times: number[] = []
  for (let start = 0; start < 3; start++) times.push(await oneStart(directory, start))
  return times.sort((a, b) => a - b)[1]!
}

async function oneStart(directory: string, start: number): Promise<number> {
  const log = await openEmbeddedLog({ directory })
  await append(log, makeTweets(1), 0, 1, Date.now())
  const startedAt = performance.now()
  const child = spawn(process.execPath, [bin, 'run', appPath], {
    env: { ...process.env, MILLRACE_DIR: directory },
    stdio: 'ignore',
  })
  while ((await log.read('scored', 0, start)) === undefined) await log.changed(log.revision(), 5)
  const elapsedMs = performance.now() - startedAt
  child.kill('SIGTERM')
  await once(child, 'exit')
  await log.close()
  return elapsedMs
}
