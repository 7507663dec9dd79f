/** `millrace run app.ts`: trains what is missing, runs the pipelines, tells how they do. */
import { once } from 'node:events'
import { relative } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { stateDirectory } from '../config/directory.ts'
import type { Audit } from '../pipeline/audit.ts'
import type { Definition } from '../pipeline/definition.ts'
import { type RunEvents, type RunResult, type RunStatus, run } from '../pipeline/run.ts'
import type { StartChoice } from '../pipeline/start.ts'
import type { SetExitCode } from './exit-code.ts'
import { PageBeside } from './page-beside.ts'
import { type PageFlags, withPageFlags } from './page-flags.ts'
import { StatusLine } from './status-line.ts'
import { parseStart, startHint } from './topics-position.ts'

interface RunFlags extends PageFlags {
  /** False with --no-page. */
  readonly page: boolean
  readonly untilCaughtUp: boolean
  readonly json: boolean
  readonly fresh: boolean
  readonly createTopics: boolean
  readonly start: readonly StartChoice[] | undefined
  readonly workers: number
  readonly speed: number | undefined
  readonly pipelines: string | undefined
  readonly source: string | undefined
  readonly durability: 'power' | 'process'
}

export function runCommand(setExitCode: SetExitCode): Command {
  const command = new Command('run')
    .description('run the pipelines that a file exports')
    .argument('<app>', 'the application, a .ts or .js file')
    .option('--until-caught-up', 'end once everything that is there has been worked on', false)
    .option('--json', 'print the figures as one line of JSON at the end', false)
    .option('--fresh', 'forget what earlier runs read and wrote, and start over', false)
    .option('--create-topics', 'on Kafka: make topics that are declared and missing', false)
    .option('--start <place>', startHint, parseStart)
    .option('--workers <number>', 'threads that share the partitions', parseWorkers, 1)
    .option('--speed <number|max>', 'messages a second of paced sources', parseSpeed)
    .option('--pipelines <names>', 'run only these, separated by commas')
    .option('--source <name>', 'which source to read, where the application offers several')
    .option('--durability <power|process>', 'what a commit survives', parseDurability, 'power')
  return withPageFlags(command)
    .option('--no-page', 'serve no page beside the pipelines')
    .addHelpText('after', '\nExample:\n  millrace run app.ts --until-caught-up --json')
    .action(async (app: string, flags: RunFlags) => {
      // Read by the application's file, here and in every worker.
      if (flags.source !== undefined) process.env.MILLRACE_SOURCE = flags.source
      await runWith(app, flags, (result) => {
        if (flags.json) process.stdout.write(`${JSON.stringify(result.figures)}\n`)
        tellEnd(result, flags)
        if (result.figures.ledger !== 'balanced') setExitCode(1)
      })
    })
}

async function runWith(
  app: string,
  flags: RunFlags,
  ended: (result: RunResult) => void,
): Promise<void> {
  const drain = new AbortController()
  const line = new StatusLine(process.stderr)
  let hasEnded = false
  const onSignal = () => {
    // The second signal does not wait: what was not committed comes again at the next start.
    if (drain.signal.aborted) process.exit(130)
    if (!hasEnded) {
      line.say('stopping: what is under way is committed first (again to stop at once)')
    }
    drain.abort()
  }
  // Until caught up there is nobody to watch it move.
  const ratePerSecond = flags.speed ?? (flags.untilCaughtUp ? Number.POSITIVE_INFINITY : undefined)
  const directory = stateDirectory()
  const page = new PageBeside(app, directory, flags, (words) => line.say(words))
  // It would end before anybody saw it; whoever names a port wants it.
  const hasPage = flags.page && (!flags.untilCaughtUp || flags.port !== undefined)
  const tell = eventsFor(line, ratePerSecond)
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    const result = await run({
      appPath: app,
      directory,
      workers: flags.workers,
      untilCaughtUp: flags.untilCaughtUp,
      fresh: flags.fresh,
      createTopics: flags.createTopics,
      ...(flags.start === undefined ? {} : { start: flags.start }),
      ratePerSecond,
      durability: flags.durability,
      pipelines: flags.pipelines?.split(',').map((name) => name.trim()),
      drain: drain.signal,
      tell: {
        ...tell,
        loaded(loaded, plan, where) {
          page.knows(loaded)
          tell.loaded(loaded, plan, where)
        },
      },
      ...(hasPage ? { beforeStart: () => page.start() } : {}),
    })
    hasEnded = true
    line.end()
    ended(result)
    // Whoever looks at it is not done because the stream is.
    if (hasPage && line.isTerminal && !flags.untilCaughtUp && !drain.signal.aborted) {
      line.say('the page stays; Ctrl-C ends it')
      await once(drain.signal, 'abort')
    }
  } finally {
    await page.close()
    line.end()
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

function eventsFor(line: StatusLine, speed: number | undefined): RunEvents {
  let streams: string[] = []
  let told = new Set<string>()
  return {
    loaded(app, plan, directory) {
      const running = new Set(plan.pipelines.map(({ name }) => name))
      const chosen = app.pipelines.filter(({ name }) => running.has(name))
      streams = chosen.flatMap((definition) => streamsOf(definition, speed))
      if (app.about !== undefined) line.say(app.about)
      const names = plan.pipelines.map(({ name }) => name).join(', ')
      line.say(`pipelines ${names}; state lives in ${relative(process.cwd(), directory) || '.'}`)
    },
    training: (text) => line.say(text),
    trained(models, seconds) {
      for (const model of models) {
        const when = model.isNew
          ? `trained in ${seconds.toFixed(1)} s`
          : 'trained by an earlier run'
        const details = Object.entries(model.details)
          .filter(
            ([name, value]) => typeof value !== 'object' && !['seconds', 'why'].includes(name),
          )
          .map(([name, value]) => `${words(name)} ${readable(value)}`)
        const learnt = model.estimator === '' ? [] : [model.estimator]
        const told = [when, ...learnt, ...details].join(', ')
        line.say(`model ${model.name} ${model.version.slice(0, 12)}: ${told}`)
      }
    },
    started(isCaughtUp) {
      if (isCaughtUp) return
      for (const stream of streams) line.say(stream)
      line.say('Ctrl-C stops, and the next start goes on where this one stopped')
    },
    status(status) {
      const reasons = status.waiting.map((reason) => reason.replace(/ \(next try in .*/, ''))
      // On a terminal the status line says it; elsewhere it is said once, or it would be silence.
      for (const reason of reasons) {
        if (!told.has(reason) && !line.isTerminal) line.say(`waiting: ${reason}`)
      }
      told = new Set(reasons)
      line.show(statusText(status))
    },
  }
}

/** `ingest: streaming 4,031 messages of generate at 50/s`, a line a source. */
function streamsOf(definition: Definition, speed: number | undefined): string[] {
  return definition.inputs.flatMap((input) => {
    if (input.kind !== 'source') return []
    const { count, ratePerSecond } = input.source.options
    const many = typeof count === 'number' ? `${count.toLocaleString('en')} messages of ` : ''
    const rate = speed ?? (typeof ratePerSecond === 'number' ? ratePerSecond : Infinity)
    const pace = rate === Infinity ? 'full speed' : `${rate} a second`
    return [`${definition.name}: streaming ${many}${input.name} at ${pace} (--speed changes it)`]
  })
}

/** `crossValidationScore` as people read it. */
const words = (name: string) => name.replaceAll(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`)

const readable = (value: unknown) =>
  typeof value === 'number' ? Number(value.toPrecision(4)).toLocaleString('en') : String(value)

function statusText(status: RunStatus): string {
  const parts = [
    `${status.messages.toLocaleString('en')} messages worked on`,
    `${Math.round(status.messagesPerSecond).toLocaleString('en')}/s`,
    ...status.summaries,
  ]
  if (status.deadLetters > 0) parts.push(`${status.deadLetters} dead letters`)
  return [...parts, ...status.waiting.map((reason) => `waiting: ${reason}`)].join(' · ')
}

function tellEnd(result: RunResult, flags: RunFlags): void {
  const { figures } = result
  if (result.reason === 'caught up') {
    const before = result.worked === 0 ? ', by earlier runs' : ''
    process.stderr.write(`caught up: all messages are consumed${before}; --fresh to replay\n`)
  }
  if (!flags.json) {
    for (const [name, value] of Object.entries(figures)) {
      process.stderr.write(`  ${name.padEnd(20)} ${readable(value)}\n`)
    }
  }
  if (result.buried > 0) {
    const letters = result.buried === 1 ? 'message' : 'messages'
    const hint = 'millrace dead-letters list shows why'
    process.stderr.write(`${result.buried} ${letters} became dead letters in this run: ${hint}\n`)
  }
  for (const audit of result.audits) tellImbalances(audit)
}

function tellImbalances(audit: Audit): void {
  for (const imbalance of audit.imbalances) {
    process.stderr.write(`millrace: ledger of ${audit.pipeline} is not balanced: ${imbalance}\n`)
  }
}

function parseWorkers(text: string): number {
  const workers = Number(text)
  if (Number.isInteger(workers) && workers >= 1 && workers <= 64) return workers
  throw new InvalidArgumentError('a whole number from 1 to 64 is needed.')
}

function parseSpeed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY
  const speed = Number(text)
  if (Number.isFinite(speed) && speed > 0) return speed
  throw new InvalidArgumentError("a number above 0, or 'max', is needed.")
}

function parseDurability(text: string): 'power' | 'process' {
  if (text === 'power' || text === 'process') return text
  throw new InvalidArgumentError("'power' (survives a power cut) or 'process' (survives kill -9).")
}
