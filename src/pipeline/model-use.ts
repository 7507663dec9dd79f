/** A model as a pipeline names it: opened when the pipeline starts, from the registry or as it is. */
import { fail } from '../core/errors.ts'
import type { Classification, Model } from '../models/model.ts'
import type { TrainContext, Trainer } from '../training/trainer.ts'
import type { Trained } from '../training/training-facts.ts'

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
  /**
   * Makes the model when the registry has none of that name: once, before the pipeline starts. A
   * `trainer(...)`, which `millrace train` knows as well, or a function.
   */
  readonly train?: Trainer | ((context: TrainContext) => Promise<Trained>)
}

/**
 * A text classifier, by its name in the registry: 'spam-filter', 'spam-filter@champion' or
 * 'spam-filter:3'.
 *
 * @example
 * .predict('spam', classifier('spam-filter', { labels: ['ham', 'spam'] }), { input: (mail) => mail.text })
 */
export function classifier<const Label extends string>(
  name: string,
  options: ClassifierOptions<Label>,
): ModelUse<string, Classification<Label>> {
  const { labels, train } = options
  if (typeof train !== 'object') return { kind: 'model', name, labels, train }
  const byTrainer = async (context: TrainContext) => (await train.train(context)).trained
  return { kind: 'model', name, labels, train: byTrainer }
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
