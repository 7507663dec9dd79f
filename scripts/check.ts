/** `npm run check`: types and lint side by side, then the fast tests. What to run before a commit. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

interface Step {
  readonly name: string
  readonly passed: boolean
  readonly seconds: number
}

const root = path.resolve(import.meta.dirname, '..')
const binaries = path.join(root, 'node_modules', '.bin')

const quiet = await Promise.all([
  step('types', path.join(binaries, 'tsc'), ['-p', '.'], true),
  step('types of the page', path.join(binaries, 'tsc'), ['-p', 'web'], true),
  step('lint', path.join(binaries, 'biome'), ['check', '--error-on-warnings', '.'], true),
])
const tests = await step('fast tests', process.execPath, ['scripts/test.ts'], false)

for (const { name, passed, seconds } of [...quiet, tests]) {
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name}, ${seconds.toFixed(1)} s`)
}
process.exitCode = [...quiet, tests].every(({ passed }) => passed) ? 0 : 1

/** Runs one step; a quiet one shows what it printed only when it failed. */
function step(name: string, command: string, args: string[], silent: boolean): Promise<Step> {
  const began = performance.now()
  return new Promise((resolve) => {
    if (!existsSync(command)) throw new Error(`${command} is missing: run npm ci first`)
    const child = spawn(command, args, { cwd: root, stdio: silent ? 'pipe' : 'inherit' })
    const printed: Buffer[] = []
    child.stdout?.on('data', (bytes: Buffer) => printed.push(bytes))
    child.stderr?.on('data', (bytes: Buffer) => printed.push(bytes))
    child.on('close', (code) => {
      if (code !== 0 && silent) process.stdout.write(Buffer.concat(printed))
      resolve({ name, passed: code === 0, seconds: (performance.now() - began) / 1000 })
    })
  })
}
