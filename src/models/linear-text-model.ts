/** A linear text classifier as plain data: what the scorer is compiled from and an artefact holds. */
import type { CleaningStep } from '../features/clean.ts'
import type { TextBlock } from '../features/text-features.ts'
import type { LinearWeights } from './linear.ts'
import type { Link } from './link.ts'

export interface LinearTextModel<Label extends string = string> extends LinearWeights<Label> {
  /** Cleaning steps by name, in that order. */
  readonly clean: readonly CleaningStep[]
  /** The vectorisers, whose columns side by side are the columns of the coefficients. */
  readonly blocks: readonly TextBlock[]
  /** How scores become probabilities. */
  readonly link: Link
  /**
   * A text without a known term, or whose likeliest label is less probable than this, is answered
   * with 'unknown'. Null: always the likeliest label.
   */
  readonly minConfidence: number | null
  /** The share of each label in the rows that were learnt from. */
  readonly trainingPriors: Float64Array
  /** The shares that the probabilities are corrected to (Saerens 2002); null: those of the training. */
  readonly priors: Float64Array | null
  /** What learnt the weights. */
  readonly estimator: {
    readonly name: string
    readonly options: Readonly<Record<string, unknown>>
  }
}
