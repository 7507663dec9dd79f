/** The steps that features from history become: a change of key for each field they go by. */
import { durationText } from '../core/duration.ts'
import { fail } from '../core/errors.ts'
import type { KeyedState, StateForm } from '../transforms/keyed-state.ts'
import type { RollingMeasures } from '../transforms/rolling-measures.ts'
import { type RollingStep, rollingStep } from '../transforms/rolling-step.ts'
import type { RowOutput, RowStep } from '../transforms/row-step.ts'
import type { WindowInput } from '../transforms/window-step.ts'
import { Invalid } from './decode.ts'
import type { AnyTopic, Step } from './definition.ts'
import { type RollingFeature, rollingText } from './rolling-feature.ts'

export type RollingFeatures = {
  readonly [field: string]: RollingFeature<never, unknown>
}

export interface RollingSettings {
  readonly latenessMs: number
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
    for (const [field, ofField] of Map.groupBy(ofKey, ([, feature]) => feature.field)) {
      const measures = Object.fromEntries(ofField.map(([name, { measure }]) => [name, measure]))
      steps.push({
        ...({ kind: 'keyed', name: nameOf(`${base}-${field ?? 'count'}`) } as const),
        what: whatOf(field, measures, settings),
        make: () => new AddStep(field, measures, settings),
        late: settings.late,
      })
    }
  }
  return steps
}

const keyOf = (by: string) => (value: never) => (value as { [field: string]: unknown })[by]

function whatOf(
  field: string | undefined,
  measures: RollingMeasures,
  { latenessMs }: RollingSettings,
): string {
  const each = Object.entries(measures).map(([name, one]) => `${name} = ${rollingText(one)}`)
  const of = field === undefined ? 'messages' : `'${field}'`
  return `adds of ${of}: ${each.join('; ')}; ${durationText(latenessMs)} late`
}

/** Adds the measures of one field to messages. */
class AddStep implements RowStep {
  readonly form: StateForm<unknown>
  readonly #field: string | undefined
  readonly #rolling: RollingStep<object>

  constructor(
    field: string | undefined,
    measures: RollingMeasures,
    { latenessMs }: RollingSettings,
  ) {
    this.#field = field
    this.#rolling = rollingStep(measures, { latenessMs }) as RollingStep<object>
    this.form = this.#rolling.form
  }

  take(
    state: KeyedState<unknown>,
    input: WindowInput,
    forgottenMs: number,
    output: RowOutput,
  ): Promise<void> {
    const { values } = input
    const counted = new Array<unknown>(input.count)
    for (let row = 0; row < input.count; row++) counted[row] = this.#valueOf(values[row])
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

  forget(state: KeyedState<unknown>, watermarkMs: number, limit: number): Promise<boolean> {
    return this.#rolling.close(state, watermarkMs, limit)
  }

  #valueOf(value: unknown): unknown {
    if (this.#field === undefined) return 1
    return (value as { readonly [field: string]: unknown } | null)?.[this.#field]
  }
}
