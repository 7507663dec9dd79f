/** `millrace state list|get|scan|drop`: what the steps of an application keep of the messages they saw. */
import { Command, InvalidArgumentError } from 'commander'
import type { Log } from '../log/log.ts'
import type { FoundState, StepState } from '../pipeline/state-reader.ts'
import type { UnusedState } from '../pipeline/unused-state.ts'
import { type CommandContext, type ContextSource, processContext, withLog } from './context.ts'
import { bytesText, countText, oneLine, shortened, table } from './table.ts'

export function stateCommand(context: ContextSource = processContext): Command {
  return new Command('state')
    .description(
      'look into keyed state: open windows, what waits for a join; drop what no step uses',
    )
    .addCommand(listCommand(context))
    .addCommand(getCommand(context))
    .addCommand(scanCommand(context))
    .addCommand(dropCommand(context))
    .addHelpText('after', '\nExample:\n  millrace state get app.ts orders per-minute ann')
}

interface ListFlags {
  readonly json: boolean
}

interface ListAllFlags extends ListFlags {
  readonly all: boolean
}

function listCommand(context: ContextSource): Command {
  return new Command('list')
    .description('the steps that keep state, how much in which partition, and what no step uses')
    .argument('<app>', 'the application, a .ts or .js file')
    .option('--all', 'also of pipelines that the application does not have', false)
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace state list app.ts')
    .action((app: string, { json, all }: ListAllFlags) => {
      const here = context()
      return withApp(here, app, async (log, { listState, unusedStates, pipelines }) => {
        const states = await listState(log, pipelines)
        const found = (await unusedStates(log, pipelines)).filter(
          (one) => all || one.isOfApplication,
        )
        const unused = await Promise.all(
          found.map(async (one) => {
            return { ...one, kind: 'unused' as const, partitions: await log.stateSizes(one.store) }
          }),
        )
        if (json) return here.output.print(JSON.stringify([...states, ...unused]))
        const told = [...states.map(stepText), ...unused.map((one) => unusedText(one, app))]
        if (told.length === 0) return here.output.say(`${app}: no step keeps state`)
        await here.output.print(told.join('\n\n'))
      })
    })
}

function unusedText(
  { pipeline, step, isOfApplication, partitions }: UnusedState & Pick<StepState, 'partitions'>,
  app: string,
) {
  const who = isOfApplication
    ? 'of no step any more'
    : 'of a pipeline that is not of this application'
  const size = bytesText(partitions.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0))
  const drop = `millrace state drop ${app} ${pipeline} ${step}`
  return `${pipeline} ${step}: ${who}, ${size}\n  where nobody needs it: ${drop}`
}

function dropCommand(context: ContextSource): Command {
  return new Command('drop')
    .description('forget what a step kept that is not there any more, renamed or removed')
    .argument('<app>', 'the application, a .ts or .js file')
    .argument('<pipeline>', 'its name')
    .argument('<step>', 'the name that the step had')
    .addHelpText('after', '\nExample:\n  millrace state drop app.ts orders per-minute')
    .action((app: string, pipeline: string, step: string) => {
      const here = context()
      return withApp(here, app, async (log, { dropState, pipelines }) => {
        await dropState(log, pipelines, pipeline, step)
        here.output.say(`the state of ${pipeline} ${step} is forgotten`)
      })
    })
}

function stepText({ pipeline, step, kind, form, version, partitions, differs }: StepState) {
  const what = form === undefined ? kind : `${form}, form ${version}`
  const rows = partitions.map(({ partition, keys, sizeBytes }) => [
    `${partition}`,
    keys,
    sizeBytes === undefined ? undefined : bytesText(sizeBytes),
  ])
  return [
    `${pipeline} ${step}: ${what}`,
    ...(differs === undefined ? [] : [`  it cannot go on with its state: ${differs}`]),
    rows.length === 0 ? '  nothing is kept yet' : table(['partition', 'entries', 'size'], rows),
  ].join('\n')
}

function getCommand(context: ContextSource): Command {
  return new Command('get')
    .description('all that a step has of a key: its open windows, with the results they would give')
    .argument('<app>', 'the application, a .ts or .js file')
    .argument('<pipeline>', 'its name')
    .argument('<step>', 'the name of a step that keeps state')
    .argument('<key>', 'the key of messages, as text')
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace state get app.ts orders per-minute ann --json')
    .action((app: string, pipeline: string, step: string, key: string, flags: ListFlags) => {
      const here = context()
      return withApp(here, app, async (log, { StateReader, pipelines }) => {
        const found = await new StateReader(log, pipelines).get(pipeline, step, key)
        await tell(here, { ...found, key }, flags.json, `nothing is kept of key ${oneLine(key)}`)
      })
    })
}

interface ScanFlags extends ListFlags {
  readonly from?: string
  readonly limit: number
}

function scanCommand(context: ContextSource): Command {
  return new Command('scan')
    .description('what a step has, key by key')
    .argument('<app>', 'the application, a .ts or .js file')
    .argument('<pipeline>', 'its name')
    .argument('<step>', 'the name of a step that keeps state')
    .option('--from <key>', 'the first key, in the order of their UTF-8 bytes (default: the first)')
    .option('--limit <number>', 'so many keys at most', parseLimit, 20)
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace state scan app.ts orders per-minute --from m')
    .action((app: string, pipeline: string, step: string, flags: ScanFlags) => {
      const here = context()
      return withApp(here, app, async (log, { StateReader, pipelines }) => {
        const found = await new StateReader(log, pipelines).scan(pipeline, step, flags)
        const from = flags.from === undefined ? '' : ` from key ${oneLine(flags.from)} on`
        await tell(here, found, flags.json, `nothing is kept${from}`)
      })
    })
}

async function tell(
  { output }: CommandContext,
  found: FoundState & { readonly key?: string },
  json: boolean,
  nothing: string,
): Promise<void> {
  if (json) return output.print(JSON.stringify(found))
  if (found.entries.length === 0) return output.say(nothing)
  const all = [
    ['key', ({ key }: Entry) => key],
    ['side', ({ side }: Entry) => side],
    ['start', ({ start }: Entry) => start],
    ['end', ({ end }: Entry) => end],
    ['messages', ({ revision }: Entry) => revision],
    ['partition', ({ partition }: Entry) => `${partition}`],
    ['value', ({ value }: Entry) => valueText(value, output.columns)],
  ] as const
  const columns = all.filter(([, of]) => found.entries.some((entry) => of(entry) !== undefined))
  const rows = found.entries.map((entry) => columns.map(([, of]) => of(entry)))
  const headings = columns.map(([heading]) => heading)
  await output.print(table(headings, rows, countText))
}

type Entry = FoundState['entries'][number]

/** Whole where it is read by a program. */
function valueText(value: unknown, columns: number | undefined): string {
  const text = JSON.stringify(value) ?? 'null'
  return columns === undefined ? text : shortened(text, columns)
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (Number.isSafeInteger(limit) && limit >= 1) return limit
  throw new InvalidArgumentError('a whole number from 1 on.')
}

type Loaded = typeof import('../pipeline/state-reader.ts') &
  typeof import('../pipeline/unused-state.ts') & {
    readonly pipelines: Parameters<typeof import('../pipeline/state-reader.ts')['listState']>[1]
  }

/** Only the application knows what its steps keep. */
async function withApp(
  here: CommandContext,
  app: string,
  work: (log: Log, loaded: Loaded) => Promise<void> | void,
): Promise<void> {
  // Loaded when it is used: most commands look into no state.
  const [{ loadApp }, reader, unused] = await Promise.all([
    import('../pipeline/app.ts'),
    import('../pipeline/state-reader.ts'),
    import('../pipeline/unused-state.ts'),
  ])
  const { pipelines } = await loadApp(app)
  await withLog(here, async (log) => work(log, { ...reader, ...unused, pipelines }), { app })
}
