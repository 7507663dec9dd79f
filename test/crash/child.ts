/** One life of the application: runs until caught up, drained, or killed. Talks JSON lines on stdout. */
import { writeSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import type { RunTesting } from '../../src/pipeline/run-testing.ts'

export interface ChildOptions {
  readonly directory: string
  readonly workers: number
  /** Undefined: as fast as it goes. */
  readonly ratePerSecond?: number | undefined
  readonly testing?: RunTesting | undefined
  readonly fresh?: boolean
  /** Default: `app.ts`. */
  readonly app?: string
}

export type Told =
  | { readonly kind: 'loaded' | 'started' | 'drained' }
  | { readonly kind: 'status'; readonly messages: number; readonly waiting: readonly string[] }
  | {
      readonly kind: 'caught up'
      readonly figures: Readonly<Record<string, unknown>>
      readonly imbalances: readonly string[]
    }
  | { readonly kind: 'failed'; readonly words: string }

const tell = (told: Told) => writeSync(1, `${JSON.stringify(told)}\n`)

enableCompileCache()
const { run } = await import('../../src/pipeline/run.ts')
const options = JSON.parse(process.argv[2]!) as ChildOptions
const drain = new AbortController()
process.on('SIGTERM', () => drain.abort())
try {
  const { directory, workers, testing, fresh = false } = options
  const result = await run({
    appPath: join(import.meta.dirname, options.app ?? 'app.ts'),
    ratePerSecond: options.ratePerSecond ?? Number.POSITIVE_INFINITY,
    ...{ directory, workers, testing, fresh, untilCaughtUp: true, durability: 'power' },
    pipelines: undefined,
    drain: drain.signal,
    tell: {
      loaded: () => tell({ kind: 'loaded' }),
      // Words for people, of which it is good to know where it stands still.
      training: (line) => process.stderr.write(`${line}\n`),
      trained: () => {},
      started: () => tell({ kind: 'started' }),
      status: ({ messages, waiting }) => tell({ kind: 'status', messages, waiting }),
    },
  })
  const imbalances = result.audits.flatMap((audit) => audit.imbalances)
  if (result.reason === 'drained') tell({ kind: 'drained' })
  else tell({ kind: 'caught up', figures: result.figures, imbalances })
} catch (error) {
  tell({ kind: 'failed', words: error instanceof Error ? `${error.stack}` : String(error) })
  process.exitCode = 1
}
