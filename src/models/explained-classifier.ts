/** A classifier that says with each answer which terms of the text speak for it. */
import type { CompiledTextClassifier } from './compiled-scorer.ts'
import { explain } from './explain.ts'
import type { Classification, Model } from './model.ts'

/** What an explaining classifier says of one input. */
export interface ExplainedClassification<Label extends string = string>
  extends Classification<Label> {
  /** The terms that speak for the label most, the strongest first; none where it is 'unknown'. */
  readonly terms: readonly string[]
}

/**
 * Answers as the classifier does and adds at most `top` terms to each answer: those that add more to
 * the score of the answered label than to the others (see `explain`). A text costs about twice the
 * time of its answer alone.
 */
export function explainedClassifier<Label extends string>(
  classifier: CompiledTextClassifier<Label>,
  top: number,
): Model<string, ExplainedClassification<Label>> {
  const termsFor = (text: string, label: Label): readonly string[] => {
    // 'unknown' is no label of the model: there is nothing that speaks for it.
    if (!classifier.labels.includes(label)) return []
    const { terms } = explain(classifier, text, { label, top: Number.POSITIVE_INFINITY })
    const speaking = terms.filter(({ contribution }) => contribution > 0)
    return speaking.slice(0, top).map(({ term }) => term)
  }
  return {
    predict: (texts) =>
      classifier.predict(texts).map(({ label, score }, index) => ({
        label,
        score,
        terms: termsFor(texts[index]!, label),
      })),
  }
}
