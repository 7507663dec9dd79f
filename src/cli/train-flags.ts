/** The flags that say how to train: from words on the command line to plain settings. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { fail } from '../core/errors.ts'
import { type CleaningStep, cleaningSteps } from '../features/clean.ts'
import { type CalibrationMethod, calibrationMethods } from '../models/calibration.ts'
import { type EstimatorName, estimatorNames } from '../models/estimators.ts'
import { type Metric, metrics } from '../training/cross-validation.ts'
import type { TrainingSettings } from '../training/train-text.ts'
import { definedOf, parseCount, parseNames, parseNumber } from './data-flags.ts'
import { parseWhole } from './duration.ts'

export interface SettingFlags {
  readonly estimator: EstimatorName | 'auto'
  readonly option?: Readonly<Record<string, unknown>>
  readonly features?: string
  readonly tfidf: boolean
  readonly sublinear: boolean
  readonly minDf?: number
  readonly maxDf?: number
  readonly maxFeatures?: number
  readonly stopWords?: 'english'
  readonly clean?: readonly string[]
  readonly calibrate?: CalibrationMethod | 'none'
  readonly minConfidence?: number
  readonly metric?: Metric
  readonly folds?: number
  readonly seed: number
}

/** Adds the flags to a command. */
export function withSettingFlags(command: Command): Command {
  const estimators = new Option('--estimator <name>', 'what learns; auto tries several')
  return command
    .addOption(estimators.choices(['auto', ...estimatorNames]).default('auto'))
    .option(
      '--option <name=value>',
      "an estimator's option, as alpha=0.1; may be repeated",
      addOption,
    )
    .option('--features <list>', 'as word:1-2,char_wb:2-5 (default: word:1-1; auto tries several)')
    .option('--no-tfidf', 'count terms, instead of weighing them by tf-idf')
    .option('--sublinear', '1 + ln(count) instead of the count, for tf-idf', false)
    .option('--min-df <number>', 'leave out terms of fewer texts', parseNumber(0))
    .option('--max-df <number>', 'leave out terms of more texts (below 1: a share)', parseNumber(0))
    .option('--max-features <number>', 'keep the commonest terms alone', parseCount)
    .addOption(new Option('--stop-words <list>', 'leave words out').choices(['english']))
    .option(
      '--clean <steps>',
      `cleaning steps, in the order given: ${Object.keys(cleaningSteps).join(', ')}`,
      parseNames,
    )
    .addOption(
      new Option('--calibrate <method>', 'how scores become probabilities').choices([
        ...calibrationMethods,
        'none',
      ]),
    )
    .option('--min-confidence <share>', "answer 'unknown' below this", parseNumber(0, 1))
    .addOption(
      new Option('--metric <name>', 'what auto compares by (default: macroF1)').choices(metrics),
    )
    .option('--folds <number>', 'folds of the cross-validation of auto', parseWhole(2))
    .option('--seed <number>', 'of everything that is drawn', parseCount, 0)
}

/** Throws `OPTIONS_INVALID`. */
export function settingsOf(flags: SettingFlags): TrainingSettings {
  const { minDf, maxDf, maxFeatures, stopWords, calibrate, tfidf, sublinear } = flags
  if (!tfidf && sublinear) {
    throw fail('OPTIONS_INVALID', '--sublinear is of tf-idf, which --no-tfidf leaves out; drop one')
  }
  const vectorizer = definedOf({ minDf, maxDf, maxFeatures, stopWords })
  const isAuto = flags.estimator === 'auto'
  const idle = (['metric', 'folds'] as const).find((name) => flags[name] !== undefined)
  if (!isAuto && idle !== undefined) {
    throw fail(
      'OPTIONS_INVALID',
      `--${idle} is of --estimator auto, which compares several; ${flags.estimator} alone is learnt`,
    )
  }
  return definedOf({
    estimator: flags.estimator,
    options: flags.option,
    features: flags.features,
    vectorizer: Object.keys(vectorizer).length === 0 ? undefined : vectorizer,
    // With auto the default is its own.
    tfidf: sublinear ? { sublinearTf: true } : isAuto && tfidf ? undefined : tfidf,
    // Checked where they are used, with the nearest name.
    clean: flags.clean as readonly CleaningStep[] | undefined,
    calibrate: calibrate === 'none' ? null : calibrate,
    minConfidence: flags.minConfidence,
    metric: flags.metric,
    folds: flags.folds,
    seed: flags.seed,
  })
}

/** `alpha=0.1` beside what was given before: numbers, booleans, null and JSON are read as such. */
function addOption(text: string, before: Readonly<Record<string, unknown>> = {}) {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('name=value is needed, as alpha=0.1.')
  const value = text.slice(at + 1)
  return { ...before, [text.slice(0, at)]: optionValue(value) }
}

function optionValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
