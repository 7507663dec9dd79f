/** A test of an application, whole: what it needs is opened, its function is run, and all is put away. */
import { type Duration, durationOption } from '../core/duration.ts'
import { fail } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import { ensureTopics } from '../pipeline/ensure-topics.ts'
import { planOf } from '../pipeline/plan.ts'
import { checkKeys } from '../pipeline/topic.ts'
import { type Time, timeOf } from './push.ts'
import { realModels } from './real-models.ts'
import { type LookupMock, type ModelMock, StandIns } from './stand-ins.ts'
import { Tested } from './tested.ts'
import { pipelinesOf, type TestedApp } from './tested-app.ts'
import { openWorld } from './world.ts'

export interface PipelineTestOptions {
  /** What it runs on. Default: what MILLRACE_LOG says, else memory; on Kafka KAFKA_BOOTSTRAP_SERVERS says where. */
  readonly log?: 'memory' | 'kafka'
  /** What answers in place of models, by the name of the step or of the model. */
  readonly models?: Readonly<Record<string, ModelMock>>
  /**
   * What is known of keys in place of other systems, by the name of the step that looks up: every such
   * step needs one, as nothing outside is asked.
   */
  readonly lookups?: Readonly<Record<string, LookupMock>>
  /** Of `t.random` and of the pipelines' own. Default: 1. */
  readonly seed?: number
  /** A test fails where nothing is committed for so long, in real time, and not all is worked off. Default: 30s. */
  readonly patience?: Duration
  /** What the clock says first. Default: 2025-01-01T00:00:00Z. */
  readonly startTime?: Time
}

type Run = (t: Tested) => unknown

const defaultStart = '2025-01-01T00:00:00Z'

/**
 * A test of an application, as a function without arguments: for `test` of node:test or any other runner,
 * or to be called. Nothing outside is touched: sources give what the test feeds them, sinks keep what
 * they get. It fails where `run` throws, and where a ledger is not balanced at its end.
 *
 * @example
 * test('counts', pipelineTest(new URL('./app.ts', import.meta.url), async (t) => {
 *   await t.push(posts, { author: 'ann', likes: 3 })
 *   await t.run()
 *   await t.expectOutputs(liked, [{ author: 'ann', likes: 3 }])
 * }))
 */
export function pipelineTest(app: TestedApp, run: Run): () => Promise<void>
export function pipelineTest(
  app: TestedApp,
  options: PipelineTestOptions,
  run: Run,
): () => Promise<void>
export function pipelineTest(
  app: TestedApp,
  given: PipelineTestOptions | Run,
  last?: Run,
): () => Promise<void> {
  const [options, run] = typeof given === 'function' ? [{}, given] : [given, last]
  checkKeys('pipelineTest', options, ['log', 'lookups', 'models', 'patience', 'seed', 'startTime'])
  if (typeof run !== 'function') {
    throw fail('TEST_INVALID', 'pipelineTest: give the test as a function of t, behind the options')
  }
  return () => runTest(app, options, run)
}

async function runTest(app: TestedApp, options: PipelineTestOptions, run: Run): Promise<void> {
  const { models = {}, lookups = {}, seed = 1, startTime = defaultStart } = options
  const startMs = timeOf(startTime, "pipelineTest: option 'startTime'")
  const patienceMs = durationOption("pipelineTest: option 'patience'", options.patience ?? '30s', 1)
  const given = await pipelinesOf(app)
  const standIns = new StandIns(given, models, lookups)
  const definitions = standIns.withModels(await realModels(standIns.definitions))
  const plan = planOf(definitions)
  const world = await openWorld(options.log, startMs)
  let failure: { readonly error: unknown } | undefined
  // What comes first is told: what fails after it may fail because of it.
  const attempt = async (work: () => unknown) => {
    try {
      await work()
    } catch (error) {
      failure ??= { error }
    }
  }
  await attempt(async () => {
    await ensureTopics(world.log, plan)
    const random = seededRandom(seed)
    const t = new Tested({ world, definitions, standIns, startMs, patienceMs, random })
    await attempt(() => run(t))
    await attempt(() => t['~end']())
  })
  await attempt(() => world.remove(definitions))
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error
}
