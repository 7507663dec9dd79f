/** A test tool: the demo as people start it, a process with its page, that can be killed and come back. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { build } from 'vite'
import { trainingMails } from '../examples/spam-filter/mails.ts'

const root = path.resolve(import.meta.dirname, '..')
const bin = path.join(root, 'bin', 'millrace.js')

export const spamFilter = path.join(root, 'examples', 'spam-filter', 'app.ts')
/** The same with a pipeline that fails on some mails. */
export const spamFilterWithDays = path.join(import.meta.dirname, 'page-app.ts')

/**
 * Builds the page into its usual place where what is there is older than its sources. What others read
 * there meanwhile is whole: the new folder is put into the old one's place.
 */
export async function freshPage(): Promise<void> {
  const web = path.join(root, 'web')
  const placed = path.join(web, 'dist')
  const sources = globSync(
    '{*.html,*.ts,*.tsx,{charts,components,data,styles,views,public}/**/*}',
    {
      cwd: web,
    },
  ).filter((file) => !/\.test\.ts$/.test(file))
  const newestMs = Math.max(...sources.map((file) => statSync(path.join(web, file)).mtimeMs))
  const builtFile = path.join(placed, 'index.html')
  if (existsSync(builtFile) && statSync(builtFile).mtimeMs > newestMs) return
  // On the same file system, or it could not be renamed.
  const beside = mkdtempSync(path.join(root, 'node_modules', '.millrace-page-'))
  try {
    const made = path.join(beside, 'new')
    await build({ root: web, logLevel: 'warn', build: { outDir: made } })
    if (existsSync(placed)) renameSync(placed, path.join(beside, 'old'))
    renameSync(made, placed)
  } finally {
    rmSync(beside, { recursive: true, force: true })
  }
  assert.ok(readdirSync(path.join(placed, 'assets')).length >= 3, 'the page was not built')
}

/** One state directory, and at most one process on it at a time. */
export class Demo {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'millrace-demo-'))
  readonly #app: string
  #child: ChildProcess | undefined
  #said = ''
  #port = 0

  constructor(app: string) {
    this.#app = app
  }

  /** Where the page is asked from this machine. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/`
  }

  get said(): string {
    return this.#said
  }

  /** Where the file is looked for that mends the step `day`. */
  get mendedFile(): string {
    return path.join(this.directory, 'mended')
  }

  /** Resolves when the page is served; on the same port when it was started before. */
  async start(flags: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<void> {
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
    const env = {
      ...{ ...inherited, MILLRACE_DIR: this.directory, PAGE_APP_MENDED: this.mendedFile },
      ...environment,
    }
    const port = String(this.#port)
    const child = spawn(process.execPath, [bin, 'run', this.#app, '--port', port, ...flags], {
      ...{ cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] },
    })
    this.#child = child
    this.#said = ''
    const place = /the page: http:\/\/\S+?:(\d+)/
    await new Promise<void>((resolve, reject) => {
      child.stderr!.on('data', (data) => {
        this.#said += data
        if (place.test(this.#said)) resolve()
      })
      child.once('close', () => reject(new Error(`it ended before it served:\n${this.#said}`)))
    })
    this.#port = Number(place.exec(this.#said)![1])
  }

  /** Learns the model anew from its rows with some held back: a version with figures. */
  async train(): Promise<void> {
    const rows = trainingMails().map(({ text, label, time }) =>
      JSON.stringify({ text, label, time: new Date(time).toISOString() }),
    )
    const file = path.join(this.directory, 'training.ndjson')
    writeFileSync(file, rows.join('\n'))
    const words = ['train', 'spam-filter', '--data', file, '--by-time', 'time']
    const settings = ['--features', 'word:1-2', '--min-df', '2', '--sublinear']
    const estimator = ['--estimator', 'complement-nb', '--option', 'alpha=0.03']
    await promisify(execFile)(process.execPath, [bin, ...words, ...settings, ...estimator], {
      ...{ cwd: root, env: { ...process.env, MILLRACE_DIR: this.directory } },
    })
  }

  /** As `kill -9` does; resolves when it is gone. Safe to call when nothing runs. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async json<Answer>(place: string): Promise<Answer> {
    const response = await fetch(new URL(place, this.url))
    assert.equal(response.status, 200, `${place}: ${response.status}`)
    return (await response.json()) as Answer
  }
}
