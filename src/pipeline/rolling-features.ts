/** The steps that features from history become: a change of key for each field they go by. */
import { durationText } from '../core/duration.ts'
import { fail } from '../core/errors.ts'
import type { KeyedState, StateForm } from '../transforms/keyed-state.ts'
import type { RollingMeasures } from '../transforms/rolling-measures.ts'
import { type RollingStep, rollingStep } from '../transforms/rolling-step.ts'
import type { RowOutput, RowStep } from '../transforms/row-step.ts'
import type { WindowInput } from '../transforms/window-step.ts'
import { Invalid } from './decode.ts'
import type { AnyTopic, OriginStep, Step } from './definition.ts'
import { type RollingFeature, rollingText } from './rolling-feature.ts'

export type RollingFeatures = {
  readonly [field: string]: RollingFeature<never, unknown>
}

export interface RollingSettings {
  readonly latenessMs: number
  readonly resolutionMs: number | undefined
  readonly late: AnyTopic | undefined
}

/** `names` are those that steps have already. Throws `PIPELINE_INVALID`. */
export function rollingSteps(
  features: RollingFeatures,
  names: readonly string[],
  settings: RollingSettings,
): Step[] {
  const all = Object.entries(features)
  if (all.length === 0) throw fail('PIPELINE_INVALID', 'add: it names no feature')
  const steps: Step[] = []
  const nameOf = (base: string) => {
    const taken = new Set([...names, ...steps.map(({ name }) => name)])
    let name = base
    for (let number = 2; taken.has(name); number++) name = `${base}-${number}`
    return name
  }
  // First those by the messages' own key, which they have no more behind a change of it.
  const byKey = [...Map.groupBy(all, ([, feature]) => feature.by)].sort(
    ([one], [other]) => Number(one !== undefined) - Number(other !== undefined),
  )
  for (const [by, ofKey] of byKey) {
    const base = by === undefined ? 'add' : `add-by-${by}`
    if (by !== undefined) steps.push({ kind: 'keyBy', name: nameOf(`${base}-key`), key: keyOf(by) })
    for (const [, ofOrigin] of Map.groupBy(ofKey, ([, { from }]) => originName(from))) {
      const { from } = ofOrigin[0]![1]
      const suffix = from === undefined ? '' : `-from-${from.topic.name}`
      const origin = from && originStep(nameOf(`${base}${suffix}-key`), from)
      if (origin !== undefined) steps.push(origin)
      const byField = [...Map.groupBy(ofOrigin, ([, feature]) => feature.field)]
      for (const [place, [field, ofField]] of byField.entries()) {
        const measures = Object.fromEntries(ofField.map(([name, { measure }]) => [name, measure]))
        const name = nameOf(`${base}-${field ?? 'count'}${suffix}`)
        const reckoned = { field, measures, from: from?.topic.name }
        const isShared = place < byField.length - 1
        steps.push({
          ...({ kind: 'keyed', name, what: whatOf(reckoned, settings) } as const),
          make: () => new AddStep(reckoned, settings),
          ...{ late: settings.late, adds: ofField.map(([feature]) => feature) },
          ...(origin && { from: { step: origin.name, isShared } }),
        })
      }
    }
  }
  return steps
}

type Origin = RollingFeature<never, unknown>['from']

const originName = (from: Origin) => from && `${from.by ?? ''} of ${from.topic.name}`

const originStep = (name: string, { topic, by }: NonNullable<Origin>): OriginStep => ({
  ...({ kind: 'origin', name, topic } as const),
  key: by === undefined ? undefined : keyOf(by),
})

/** Measures of one field, of messages themselves or of those of another topic. */
interface Reckoned {
  readonly field: string | undefined
  readonly measures: RollingMeasures
  readonly from: string | undefined
}

const keyOf = (by: string) => (value: never) => (value as { [field: string]: unknown })[by]

function whatOf(
  { field, measures, from }: Reckoned,
  { latenessMs, resolutionMs }: RollingSettings,
): string {
  const each = Object.entries(measures).map(([name, one]) => `${name} = ${rollingText(one)}`)
  const what = field === undefined ? 'messages' : `'${field}'`
  const of = from === undefined ? what : `${what} of topic ${from}`
  const buckets = resolutionMs === undefined ? '' : `, by ${durationText(resolutionMs)}`
  return `adds of ${of}: ${each.join('; ')}${buckets}; ${durationText(latenessMs)} late`
}

/** Adds the measures of one field to messages. */
class AddStep implements RowStep {
  readonly form: StateForm<unknown>
  readonly #field: string | undefined
  readonly #isFrom: boolean
  readonly #rolling: RollingStep<object>

  constructor({ field, measures, from }: Reckoned, { latenessMs, resolutionMs }: RollingSettings) {
    this.#field = field
    this.#isFrom = from !== undefined
    const options = { latenessMs, ...(resolutionMs !== undefined && { resolutionMs }) }
    this.#rolling = rollingStep(measures, options) as RollingStep<object>
    this.form = this.#rolling.form
  }

  take(
    state: KeyedState<unknown>,
    input: WindowInput,
    forgottenMs: number,
    output: RowOutput,
  ): Promise<void> {
    const { values } = input
    // Messages that only ask have no value of their own in what they ask for.
    const counted = this.#isFrom ? [] : this.#valuesOf(input)
    return this.#rolling.take(state, { ...input, values: counted }, forgottenMs, {
      late: (row) => output.late(row),
      failed: (row, error) => output.failed(row, error),
      features: (row, results) => {
        const value = values[row]
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
          output.passes(row, { ...value, ...results })
        } else output.failed(row, new Invalid('add gives an object more fields; this is none'))
      },
    })
  }

  takeFrom(
    state: KeyedState<unknown>,
    input: WindowInput,
    forgottenMs: number,
    output: Pick<RowOutput, 'failed'>,
  ): Promise<void> {
    const counted = { ...input, values: this.#valuesOf(input) }
    return this.#rolling.count(state, counted, forgottenMs, (row, error) => {
      output.failed(row, error)
    })
  }

  forget(state: KeyedState<unknown>, watermarkMs: number, limit: number): Promise<boolean> {
    return this.#rolling.close(state, watermarkMs, limit)
  }

  #valuesOf({ count, values }: WindowInput): unknown[] {
    const field = this.#field
    return Array.from({ length: count }, (_, row) => {
      if (field === undefined) return 1
      return (values[row] as { readonly [field: string]: unknown } | null)?.[field]
    })
  }
}
