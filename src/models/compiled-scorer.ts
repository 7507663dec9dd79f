/**
 * Vectoriser, tf-idf and linear weights compiled into one scorer: a text goes in, class
 * probabilities come out, and nothing is allocated on the way. It answers as the parts would, one
 * after the other, to 1e-12; its tests compare them.
 */
import { fail } from '../core/errors.ts'
import { TermTable } from '../features/index.ts'
import { argmax } from './linear.ts'
import type { LinearTextModel } from './linear-text-model.ts'
import { softmax } from './link.ts'
import type { Classification, TextClassifier } from './model.ts'

export class CompiledTextClassifier<Label extends string = string>
  implements TextClassifier<Label>
{
  readonly labels: readonly Label[]
  /** What it was compiled from. */
  readonly model: LinearTextModel<Label>
  readonly #table: TermTable
  readonly #binary: boolean
  readonly #sublinear: boolean
  readonly #norm: 'l2' | 'l1' | null
  /** By the table's number of a term: its idf, then its weight for each label. Zeros: no column. */
  readonly #weights: Float64Array
  readonly #intercepts: Float64Array
  /** How often each term stands in the text at hand: zeros between calls. */
  readonly #counts: Float64Array
  /** The different terms of the text at hand, and what each weighs in it. */
  readonly #touched: Int32Array
  readonly #values: Float64Array
  readonly #row: Float64Array

  constructor(model: LinearTextModel<Label>) {
    const { features, terms, tfidf, labels, coefficients } = model
    this.model = model
    this.labels = labels
    this.#table = new TermTable({
      lowercase: features.lowercase,
      ngramRange: features.ngramRange,
      stopWords: features.stopWords ?? [],
    })
    const numbers = terms.map((term) => this.#table.add(term))
    const stride = 1 + labels.length
    const weights = new Float64Array(this.#table.size * stride)
    for (const [column, number] of numbers.entries()) {
      weights[number * stride] = tfidf === null ? 1 : tfidf.idf[column]!
      for (let label = 0; label < labels.length; label++) {
        weights[number * stride + 1 + label] = coefficients[label * terms.length + column]!
      }
    }
    this.#weights = weights
    this.#binary = features.binary
    this.#sublinear = tfidf?.options.sublinearTf ?? false
    this.#norm = tfidf === null ? null : tfidf.options.norm
    this.#intercepts = model.intercepts
    this.#counts = new Float64Array(this.#table.size)
    this.#touched = new Int32Array(this.#table.size)
    this.#values = new Float64Array(this.#table.size)
    this.#row = new Float64Array(labels.length)
  }

  /** Throws `INPUT_INVALID`, which names what is not a text. */
  predict(inputs: readonly string[]): Classification<Label>[] {
    checkTexts(inputs)
    const answers = new Array<Classification<Label>>(inputs.length)
    for (let index = 0; index < inputs.length; index++) {
      const best = this.scoreInto(inputs[index]!, this.#row)
      answers[index] = { label: this.labels[best]!, score: this.#row[best]! }
    }
    return answers
  }

  /** Throws `INPUT_INVALID`, which names what is not a text. */
  predictProbabilities(inputs: readonly string[]): Float64Array {
    checkTexts(inputs)
    const count = this.labels.length
    const probabilities = new Float64Array(inputs.length * count)
    for (let index = 0; index < inputs.length; index++) {
      this.scoreInto(inputs[index]!, this.#row)
      probabilities.set(this.#row, index * count)
    }
    return probabilities
  }

  /**
   * The hot path: writes the probability of each label into the first places of `probabilities`, and
   * returns the index of the likeliest label, the first of equals. Allocates nothing. A text without
   * a known term gets what the classes alone say.
   */
  scoreInto(text: string, probabilities: Float64Array): number {
    this.decideInto(text, probabilities)
    const count = this.labels.length
    const best = argmax(probabilities, 0, count)
    softmax(probabilities, 0, count)
    return best
  }

  /** The scores before the softmax: for naive Bayes ln P(text, label). */
  decideInto(text: string, scores: Float64Array): void {
    const distinct = this.#countTerms(text)
    const stride = 1 + this.labels.length
    const weights = this.#weights
    const values = this.#values
    const touched = this.#touched
    const length = this.#weigh(distinct)
    const scale = this.#norm === null || length === 0 ? 1 : 1 / length
    // Label by label, so that each sum stays in a register.
    for (let label = 1; label < stride; label++) {
      let score = 0
      for (let index = 0; index < distinct; index++) {
        score += values[index]! * weights[touched[index]! * stride + label]!
      }
      scores[label - 1] = score * scale + this.#intercepts[label - 1]!
    }
  }

  /** The value of each term that #touched lists into #values; returns the length of that row. */
  #weigh(distinct: number): number {
    const stride = 1 + this.labels.length
    const counts = this.#counts
    const norm = this.#norm
    let length = 0
    for (let index = 0; index < distinct; index++) {
      const term = this.#touched[index]!
      let value = counts[term]!
      counts[term] = 0
      if (this.#binary) value = 1
      else if (this.#sublinear) value = Math.log(value) + 1
      value *= this.#weights[term * stride]!
      this.#values[index] = value
      length += norm === 'l2' ? value * value : Math.abs(value)
    }
    return norm === 'l2' ? Math.sqrt(length) : length
  }

  /** Counts the terms of a text, and returns how many different ones #touched lists. */
  #countTerms(text: string): number {
    const found = this.#table.read(text, false)
    const terms = this.#table.terms
    const counts = this.#counts
    const touched = this.#touched
    let distinct = 0
    for (let index = 0; index < found; index++) {
      const term = terms[index]!
      const count = counts[term]!
      if (count === 0) touched[distinct++] = term
      counts[term] = count + 1
    }
    return distinct
  }
}

function checkTexts(inputs: readonly unknown[]): void {
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
