/**
 * A trainer: how a model of a name is learnt, declared once in an application, so that
 * `millrace train app.ts` and a pipeline that finds no such model do the same.
 */
import { fail } from '../core/errors.ts'
import { byTime, holdout } from './data-split.ts'
import { fingerprintOfTexts, type LabelledTexts, selectLabelled } from './labelled.ts'
import { checkSettings, type TextTraining, type TrainingSettings, trainText } from './train-text.ts'
import { type Trained, trainedOf } from './training-facts.ts'

export interface TrainContext {
  /** One line for people, while it goes on. */
  progress(line: string): void
}

export interface TrainerOptions extends TrainingSettings {
  /** The rows to learn from. With `timesMs` the choice of settings never learns from the future. */
  data(context: TrainContext): LabelledTexts | Promise<LabelledTexts>
  /** The rows to evaluate on. Default: a part of the data, see `holdout`. */
  test?(context: TrainContext): LabelledTexts | Promise<LabelledTexts>
  /**
   * The share of the data to evaluate on where there is no `test`: the last ones where rows have
   * times. Default 0: learn from all rows, evaluate on none.
   */
  readonly holdout?: number
}

export interface TrainerResult extends TextTraining {
  readonly trained: Trained
}

export interface Trainer {
  readonly kind: 'trainer'
  /** Of the model, as the registry will have it. */
  readonly name: string
  /** Trains and evaluates. Throws `TRAINING_INVALID`, `OPTIONS_INVALID` and what the data throws. */
  train(context: TrainContext): Promise<TrainerResult>
}

/**
 * Declares how a model is learnt. Throws `OPTIONS_INVALID` for what is not an option.
 *
 * @example
 * export const spam = trainer('spam-filter', {
 *   data: () => ({ texts: ['win a prize', 'the agenda'], labels: ['spam', 'ham'] }),
 *   estimator: 'multinomial-nb',
 *   features: 'word:1-2',
 * })
 */
export function trainer(name: string, options: TrainerOptions): Trainer {
  const { data, test, holdout: share = 0, ...settings } = options
  if (typeof data !== 'function') {
    throw fail('OPTIONS_INVALID', `trainer ${name}: it has no data(); give the rows to learn from`)
  }
  if (!(share >= 0 && share < 1)) {
    throw fail('OPTIONS_INVALID', `trainer ${name}: holdout is ${share}; give a share below 1`)
  }
  checkSettings(`trainer ${name}`, settings, ['data', 'test', 'holdout'])
  return {
    kind: 'trainer',
    name,
    async train(context) {
      const rows = await data(context)
      const [learnt, asked] =
        test === undefined ? partsOf(rows, share, settings) : [rows, await test(context)]
      const result = trainText(learnt, asked, settings, context.progress)
      const fingerprint = {
        train: fingerprintOfTexts(learnt),
        ...(asked === undefined ? {} : { test: fingerprintOfTexts(asked) }),
      }
      return {
        ...result,
        trained: trainedOf(result, settings, fingerprint, { kind: 'trainer', name }),
      }
    },
  }
}

function partsOf(
  rows: LabelledTexts,
  share: number,
  { seed = 0 }: TrainingSettings,
): [LabelledTexts, LabelledTexts | undefined] {
  if (share === 0) return [rows, undefined]
  const parts =
    rows.timesMs === undefined ? holdout(rows.labels, share, seed) : byTime(rows.timesMs, share)
  return [selectLabelled(rows, parts.train), selectLabelled(rows, parts.test)]
}
