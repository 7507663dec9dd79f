/** Why a text was answered as it was: the terms that moved the prediction most. */
import { fail } from '../core/errors.ts'
import { cleaner } from '../features/clean.ts'
import type { CompiledTextClassifier } from './compiled-scorer.ts'

export interface TermContribution {
  /** As the vectoriser has it: words, or characters with their spaces. */
  readonly term: string
  /** Which vectoriser found it: 'word', 'char', 'char_wb'. */
  readonly analyzer: string
  /**
   * How much more the term adds to the score of the explained label than to those of the others, on
   * average. Above zero it speaks for the label, below against it.
   */
  readonly contribution: number
}

export interface Explanation<Label extends string = string> {
  readonly label: Label
  /** The probability of that label. */
  readonly score: number
  /** The terms that moved the score most, in either direction, the strongest first. */
  readonly terms: readonly TermContribution[]
  /** What the other known terms of the text contribute together. */
  readonly otherTerms: number
  /** What the label gets before any term is read. */
  readonly intercept: number
}

export interface ExplainOptions<Label extends string> {
  /** Which label to explain. Default: the likeliest. */
  readonly label?: Label | undefined
  /** How many terms at most. Default 10. */
  readonly top?: number | undefined
}

/**
 * Explains the answer to one text. A linear model's score is a sum over terms, so this is exact, no
 * approximation: `intercept`, all `terms` and `otherTerms` together are the label's score minus the
 * mean of the other labels' scores (with two labels of naive Bayes or logistic regression: the log
 * odds). Throws `OPTIONS_INVALID` for a label that the model does not know.
 *
 * @example
 * explain(model, 'win a prize').terms[0] // { term: 'prize', analyzer: 'word', contribution: 2.1 }
 */
export function explain<Label extends string>(
  classifier: CompiledTextClassifier<Label>,
  text: string,
  { label, top = 10 }: ExplainOptions<Label> = {},
): Explanation<Label> {
  const { labels, model } = classifier
  const probabilities = classifier.predictProbabilities([text])
  const asked = label === undefined ? classifier.likeliest(text) : labels.indexOf(label)
  if (asked < 0) {
    throw fail(
      'OPTIONS_INVALID',
      `explain: the model does not know the label '${label}'; it knows ${labels.slice(0, 20).join(', ')}`,
    )
  }
  const terms = contributionsFor(classifier, text, asked)
  terms.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
  return {
    label: labels[asked]!,
    score: probabilities[asked]!,
    terms: terms.slice(0, top),
    otherTerms: terms.slice(top).reduce((sum, { contribution }) => sum + contribution, 0),
    intercept: againstOthers(model.intercepts, 0, labels.length, asked),
  }
}

function contributionsFor(
  classifier: CompiledTextClassifier,
  text: string,
  label: number,
): TermContribution[] {
  const { model, labels } = classifier
  const cleaned = cleaner(model.clean)(text)
  return classifier.blocks.flatMap((block, index) => {
    const { numbers, parts } = block.contributions(cleaned)
    const names = block.reader.namesOf(cleaned, numbers)
    const { analyzer } = model.blocks[index]!.options
    return names.map((term, row) => ({
      term,
      analyzer,
      contribution: againstOthers(parts, row * labels.length, labels.length, label),
    }))
  })
}

/** One label's number minus the mean of the others', of `count` from `start`. */
function againstOthers(values: Float64Array, start: number, count: number, label: number): number {
  let others = 0
  for (let other = 0; other < count; other++) if (other !== label) others += values[start + other]!
  return values[start + label]! - others / (count - 1)
}
