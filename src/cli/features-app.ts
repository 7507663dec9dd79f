/** What commands about features have in common: a pipeline of an application, and its history. */
import { fail, suggestion } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import type { Codecs } from '../pipeline/codecs.ts'
import type { AnyTopic, Definition } from '../pipeline/definition.ts'
import type { History } from '../pipeline/history-run.ts'
import { type CommandContext, withLog } from './context.ts'

export const beforeWords =
  'rows as they come to this step (default: the first predict, else the first to behind all that adds)'

/** As the application declares it; others hold JSON. */
export function topicOf(definitions: readonly Definition[], name: string): AnyTopic {
  const declared = definitions.flatMap(({ inputs, steps }) => [
    ...inputs.flatMap((input) => (input.kind === 'topic' ? [input.topic] : [])),
    ...steps.flatMap((step) => {
      if (step.kind === 'to') return step.target.kind === 'topic' ? [step.target.topic] : []
      return step.kind === 'origin' ? [step.topic] : []
    }),
  ])
  const plain = { schema: undefined, key: undefined, time: undefined, format: undefined }
  return (
    declared.find((topic) => topic.name === name) ?? { kind: 'topic', name, ...plain, settings: {} }
  )
}

export interface Loaded {
  readonly log: Log
  readonly codecs: Codecs
  readonly definition: Definition
  readonly definitions: readonly Definition[]
  history(before: string | undefined, work: (history: History) => Promise<void>): Promise<void>
}

export async function withPipeline(
  here: CommandContext,
  app: string,
  name: string,
  work: (loaded: Loaded) => Promise<void>,
): Promise<void> {
  // Loaded when they are used: the other commands start faster.
  const [{ loadApp }, { withHistory }, { Codecs, formatSetting, formatUses }, { environmentFor }] =
    await Promise.all([
      import('../pipeline/app.ts'),
      import('../pipeline/history-run.ts'),
      import('../pipeline/codecs.ts'),
      import('../pipeline/open-log.ts'),
    ])
  const { pipelines: definitions } = await loadApp(app)
  const definition = definitions.find((one) => one.name === name)
  if (definition === undefined) {
    const names = definitions.map((one) => one.name)
    const hint = suggestion(name, names) || `it has ${names.join(', ')}`
    throw fail('APP_UNUSABLE', `${app}: it exports no pipeline '${name}'; ${hint}`)
  }
  await withLog(
    here,
    async (log) => {
      const codecs = new Codecs(formatSetting(await environmentFor(app)))
      try {
        await codecs.open(formatUses(definitions).map((use) => ({ ...use, writes: false })))
        const history: Loaded['history'] = (before, then) =>
          withHistory(log, definition, { before, codecs }, then)
        await work({ log, codecs, definition, definitions, history })
      } finally {
        await codecs.close()
      }
    },
    { app },
  )
}
