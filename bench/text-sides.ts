/** The two sides of the text benchmark as processes that do what they are told, one at a time. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type EstimatorFactory =
  | 'multinomialNB'
  | 'complementNB'
  | 'linearSVC'
  | 'sgdClassifier'
  | 'logisticRegression'

export type Task =
  | { readonly do: 'fit'; readonly estimator: EstimatorFactory }
  | { readonly do: 'predict' }
  /** So many texts of the test, each in a call of its own; `characters`: only their last ones. */
  | { readonly do: 'single'; readonly count: number; readonly characters?: number }
  | {
      readonly do: 'vectorize'
      readonly vectorizer: 'word:1-2' | 'char_wb:2-5' | 'hashing word:1-1'
      readonly count: number
    }

export interface Answer {
  readonly seconds: number
  /** Of all threads of the process. */
  readonly cpuSeconds: number
  /** What came out, for a look whether both did the same work. */
  readonly found: number
}

const version = '1.9.1'
const python = process.env.PYTHON ?? 'python3'
const worker = fileURLToPath(new URL('./text-worker.ts', import.meta.url))
const peer = fileURLToPath(new URL('./peers/scikit_learn_text.py', import.meta.url))
/** NumPy, SciPy and scikit-learn take one thread each. */
const oneThread = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }

/** Why scikit-learn cannot be measured, and what to do; undefined when it can. */
export function whyNoPeer(): string | undefined {
  const asked = spawnSync(python, ['-c', 'import sklearn; print(sklearn.__version__)'], {
    encoding: 'utf8',
  })
  const found = asked.stdout?.trim()
  if (asked.status === 0 && found === version) return undefined
  const seen =
    asked.status === 0
      ? `has scikit-learn ${found}`
      : (asked.error?.message ?? asked.stderr.trim().split('\n').at(-1))
  return `'${python}': ${seen}; needed is scikit-learn ${version}: 'python3 -m pip install scikit-learn==${version}', then name that Python as PYTHON=/path/to/python`
}

export class Side {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #ended: Promise<unknown>

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...oneThread },
    })
    this.#ended = new Promise((resolve) => {
      this.#process.once('error', resolve)
      this.#process.once('close', resolve)
    })
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]()
  }

  async does(task: Task): Promise<Answer> {
    this.#process.stdin!.write(`${JSON.stringify(task)}\n`)
    const { value, done } = await this.#lines.next()
    if (!done) return JSON.parse(value) as Answer
    throw new Error(`a side of the benchmark ended at ${JSON.stringify(task)}; see above`)
  }

  async end(): Promise<void> {
    this.#process.stdin!.end()
    await this.#ended
  }
}

/** `texts`: the file that both read. */
export const ourSide = (texts: string) => new Side(process.execPath, [worker, texts])
export const theirSide = (texts: string) => new Side(python, [peer, texts])
