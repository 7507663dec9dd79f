/** A linear text classifier as plain data: what the scorer is compiled from and an artefact holds. */
import type {
  CheckedCountVectorizerOptions,
  CheckedTfidfTransformerOptions,
} from '../features/index.ts'
import type { LinearWeights } from './linear.ts'

export interface LinearTextModel<Label extends string = string> extends LinearWeights<Label> {
  readonly features: CheckedCountVectorizerOptions
  /** The columns of the coefficients. */
  readonly terms: readonly string[]
  /** Null: counts go into the weights as they are. */
  readonly tfidf: {
    readonly options: CheckedTfidfTransformerOptions
    readonly idf: Float64Array
  } | null
  /** What learnt the weights. */
  readonly estimator: {
    readonly name: string
    readonly options: Readonly<Record<string, unknown>>
  }
}
