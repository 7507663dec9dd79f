/**
 * Cleaning, vectorisers, tf-idf and linear weights compiled into one scorer: a text goes in, the
 * labels' probabilities come out. It answers as the parts would, one after the other, to 1e-12; its
 * tests compare them.
 */
import { fail } from '../core/errors.ts'
import { cleaner } from '../features/clean.ts'
import { columnsOf } from '../features/text-features.ts'
import { CompiledBlock } from './compiled-block.ts'
import { argmax } from './linear.ts'
import type { LinearTextModel } from './linear-text-model.ts'
import { scoresToProbabilities } from './link.ts'
import { type Classification, type TextClassifier, unknownLabel } from './model.ts'

export class CompiledTextClassifier<Label extends string = string>
  implements TextClassifier<Label>
{
  readonly labels: readonly Label[]
  /** What it was compiled from. */
  readonly model: LinearTextModel<Label>
  /** The compiled vectorisers, in the order of the model's. */
  readonly blocks: readonly CompiledBlock[]
  readonly #clean: ((text: string) => string) | null
  /** By label: what its probability is multiplied by, before they are shared out; null: nothing. */
  readonly #corrections: Float64Array | null
  readonly #row: Float64Array
  /** True where the highest score has the highest probability, and says so where both round to 1. */
  readonly #isByScore: boolean
  /** The index of the likeliest label of the text that was scored last. */
  #likeliest = 0

  constructor(model: LinearTextModel<Label>, blocks?: readonly CompiledBlock[]) {
    this.model = model
    this.labels = model.labels
    this.blocks = blocks ?? compileBlocks(model)
    this.#clean = model.clean.length === 0 ? null : cleaner(model.clean)
    this.#corrections = correctionsOf(model)
    this.#row = new Float64Array(model.labels.length)
    const { kind } = model.link
    this.#isByScore = this.#corrections === null && (kind === 'softmax' || kind === 'one-vs-rest')
  }

  get answersUnknown(): boolean {
    return this.model.minConfidence !== null
  }

  /** Throws `INPUT_INVALID`, which names what is not a text. */
  predict(inputs: readonly string[]): Classification<Label>[] {
    checkTexts(inputs)
    const answers = new Array<Classification<Label>>(inputs.length)
    const { minConfidence } = this.model
    const row = this.#row
    for (let index = 0; index < inputs.length; index++) {
      const known = this.#score(inputs[index]!, row)
      const best = this.#likeliest
      const score = row[best]!
      const isUnknown = minConfidence !== null && (known === 0 || score < minConfidence)
      // With minConfidence the type of the labels has 'unknown' in it: the pipeline checks that.
      answers[index] = { label: isUnknown ? (unknownLabel as Label) : this.labels[best]!, score }
    }
    return answers
  }

  /** Throws `INPUT_INVALID`, which names what is not a text. */
  predictProbabilities(inputs: readonly string[]): Float64Array {
    checkTexts(inputs)
    const count = this.labels.length
    const probabilities = new Float64Array(inputs.length * count)
    for (let index = 0; index < inputs.length; index++) {
      this.#score(inputs[index]!, this.#row)
      probabilities.set(this.#row, index * count)
    }
    return probabilities
  }

  /** The index of the label that `predict` answers with, where it does not answer 'unknown'. */
  likeliest(text: string): number {
    this.#score(text, this.#row)
    return this.#likeliest
  }

  /** The scores before they become probabilities: for naive Bayes ln P(text, label). */
  decideInto(text: string, scores: Float64Array): void {
    this.#decide(text, scores)
  }

  /**
   * The same model, which answers as if labels were as common as `priors` says, in the order of
   * `labels` (Saerens 2002). Null: as common as in the training. Throws `OPTIONS_INVALID`.
   */
  withPriors(priors: Float64Array | null): CompiledTextClassifier<Label> {
    const isRight =
      priors === null ||
      (priors.length === this.labels.length &&
        priors.every((prior) => prior > 0 && prior <= 1) &&
        Math.abs(priors.reduce((sum, prior) => sum + prior, 0) - 1) < 1e-6)
    if (isRight) return new CompiledTextClassifier({ ...this.model, priors }, this.blocks)
    throw fail(
      'OPTIONS_INVALID',
      `text classifier: priors are [${priors.join(', ')}]; give ${this.labels.length} numbers above 0 that add up to 1`,
    )
  }

  /** Writes probabilities, and returns how many terms of the text are known. Allocates nothing. */
  #score(text: string, probabilities: Float64Array): number {
    const known = this.#decide(text, probabilities)
    const count = this.labels.length
    if (this.#isByScore) this.#likeliest = argmax(probabilities, 0, count)
    scoresToProbabilities(this.model.link, probabilities, 0, count)
    if (this.#corrections !== null) correct(probabilities, this.#corrections)
    if (!this.#isByScore) this.#likeliest = argmax(probabilities, 0, count)
    return known
  }

  #decide(text: string, scores: Float64Array): number {
    const cleaned = this.#clean === null ? text : this.#clean(text)
    const { intercepts } = this.model
    for (let label = 0; label < intercepts.length; label++) scores[label] = intercepts[label]!
    let known = 0
    for (let index = 0; index < this.blocks.length; index++) {
      known += this.blocks[index]!.addScores(cleaned, scores)
    }
    return known
  }
}

function compileBlocks(model: LinearTextModel): CompiledBlock[] {
  const columns = model.coefficients.length / model.labels.length
  let firstColumn = 0
  return model.blocks.map((block) => {
    const { coefficients, binarize } = model
    const labels = model.labels.length
    const compiled = new CompiledBlock(block, {
      labels,
      coefficients,
      columns,
      firstColumn,
      binarize,
    })
    firstColumn += columnsOf(block)
    return compiled
  })
}

function correctionsOf({ priors, trainingPriors }: LinearTextModel): Float64Array | null {
  return priors === null ? null : priors.map((prior, label) => prior / trainingPriors[label]!)
}

function correct(probabilities: Float64Array, corrections: Float64Array): void {
  let sum = 0
  for (let label = 0; label < corrections.length; label++) {
    probabilities[label]! *= corrections[label]!
    sum += probabilities[label]!
  }
  for (let label = 0; label < corrections.length; label++) probabilities[label]! /= sum
}

export function checkTexts(inputs: readonly unknown[]): void {
  for (let index = 0; index < inputs.length; index++) {
    if (typeof inputs[index] === 'string') continue
    const refused = inputs.flatMap((input, at) =>
      typeof input === 'string' ? [] : [{ index: at, reason: `not a text but ${kindOf(input)}` }],
    )
    throw fail(
      'INPUT_INVALID',
      `text classifier: ${refused.length} of ${inputs.length} inputs are not texts, the first ${kindOf(inputs[index])}; give strings`,
      { refused },
    )
  }
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}
