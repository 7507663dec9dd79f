/** A model as a pipeline names it: opened when the pipeline starts, from the registry or as it is. */
import { fail } from '../core/errors.ts'
import type { Classification, Model, TextClassifier } from '../models/model.ts'

export interface Trained {
  readonly classifier: TextClassifier
  /** What the training found, for people and the registry: settings, seconds, scores. */
  readonly details: Readonly<Record<string, unknown>>
}

export interface TrainContext {
  /** One line for people, while it goes on. */
  progress(line: string): void
}

export interface ModelUse<in Input, out Output> {
  readonly kind: 'model'
  readonly name: string
  /** The very model, where it was not named but given. */
  readonly model?: Model<Input, Output> | undefined
  readonly labels?: readonly string[] | undefined
  /** Trains the model where it was never trained before. */
  readonly train?: ((context: TrainContext) => Promise<Trained>) | undefined
}

export interface ClassifierOptions<Label extends string> {
  /** The labels that the pipeline counts on, checked against the artefact when it loads. */
  readonly labels: readonly Label[]
  /** Makes the model when the registry has none of that name: once, before the pipeline starts. */
  readonly train?: (context: TrainContext) => Promise<Trained>
}

/**
 * A text classifier, by its name in the registry.
 *
 * @example
 * .predict('spam', classifier('spam-filter', { labels: ['ham', 'spam'] }), { input: (mail) => mail.text })
 */
export function classifier<const Label extends string>(
  name: string,
  options: ClassifierOptions<Label>,
): ModelUse<string, Classification<Label>> {
  return { kind: 'model', name, labels: options.labels, train: options.train }
}

/** A model that is at hand, under the name that metrics and the plan show. */
export function model<Input, Output>(
  name: string,
  given: Model<Input, Output>,
): ModelUse<Input, Output> {
  if (typeof (given as Partial<typeof given> | undefined)?.predict !== 'function') {
    throw fail(
      'OPTIONS_INVALID',
      `model ${name}: it has no predict(inputs); give a model that scores`,
    )
  }
  return { kind: 'model', name, model: given }
}
