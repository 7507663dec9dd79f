/** A model as a pipeline names it: opened when the pipeline starts, from the registry or as it is. */
import { fail } from '../core/errors.ts'
import type { ExplainedClassification } from '../models/explained-classifier.ts'
import type { Classification, Model } from '../models/model.ts'
import type { TrainContext, Trainer } from '../training/trainer.ts'
import type { Trained } from '../training/training-facts.ts'

export interface ModelUse<in Input, out Output> {
  readonly kind: 'model'
  readonly name: string
  /** The very model, where it was not named but given. */
  readonly model?: Model<Input, Output> | undefined
  readonly labels?: readonly string[] | undefined
  /** Each answer has so many of the terms that speak for it; undefined: none. */
  readonly explain?: number | undefined
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
  /**
   * So many terms are added to each answer, as `terms`: those that speak for its label most. It about
   * doubles what a text costs. Default: none.
   */
  readonly explain?: number
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
  options: ClassifierOptions<Label> & { readonly explain: number },
): ModelUse<string, ExplainedClassification<Label>>
export function classifier<const Label extends string>(
  name: string,
  options: ClassifierOptions<Label>,
): ModelUse<string, Classification<Label>>
export function classifier(
  name: string,
  options: ClassifierOptions<string>,
): ModelUse<string, never> {
  const { labels, train, explain } = options
  if (explain !== undefined && !(Number.isInteger(explain) && explain > 0 && explain <= 100)) {
    const words = `explain is the number of terms, 1 to 100, not ${JSON.stringify(explain)}`
    throw fail('OPTIONS_INVALID', `classifier ${name}: ${words}`)
  }
  if (typeof train !== 'object') return { kind: 'model', name, labels, explain, train }
  const byTrainer = async (context: TrainContext) => (await train.train(context)).trained
  return { kind: 'model', name, labels, explain, train: byTrainer }
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
