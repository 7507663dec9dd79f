/**
 * Prior correction: when labels become more or less common after training, a model's probabilities
 * lean to the old shares. This estimates the new shares from unlabelled answers, and corrects.
 *
 * Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori
 * Probabilities: A Simple Procedure", Neural Computation 14, 2002. It holds where only the shares of
 * the labels changed, not what their texts are like, and where the probabilities are calibrated.
 */
import { fail } from '../core/errors.ts'
import { chiSquaredTail } from './chi-squared.ts'

export interface EstimatePriorsOptions {
  /** Passes over the answers at most. Default 1000. */
  readonly maxIterations?: number
  /** Stop when no prior moved by more than this. Default 1e-9. */
  readonly tolerance?: number
}

export interface EstimatedPriors {
  /** How common each label is in the answers, in their order; they add up to one. */
  readonly priors: Float64Array
  readonly iterations: number
}

/**
 * How common each label is among texts without labels, by expectation maximisation over their
 * `probabilities` (a row a text, one a label) from a model that learnt with `trainingPriors`.
 * Throws `TRAINING_INVALID` for no rows, or numbers that are no probabilities; `OPTIONS_INVALID`.
 */
export function estimatePriors(
  probabilities: Float64Array,
  trainingPriors: Float64Array,
  options: EstimatePriorsOptions = {},
): EstimatedPriors {
  const { maxIterations, tolerance } = checkOptions(options)
  const training = checkedPriors('trainingPriors', trainingPriors)
  checkProbabilities(probabilities, training.length)
  if (probabilities.length === 0) throw invalid('no answers; nothing can be estimated')
  let priors = training
  let iterations = 0
  while (iterations < maxIterations) {
    iterations++
    const next = meanAnswer(probabilities, priors, training)
    const moved = farthestMove(priors, next)
    priors = next
    if (moved <= tolerance) break
  }
  return { priors, iterations }
}

/**
 * Probabilities of a model that learnt with `trainingPriors` become, in place, those where labels are
 * as common as `priors` says. A row that these hold impossible stays as it is. Throws
 * `TRAINING_INVALID`.
 */
export function correctPriors(
  probabilities: Float64Array,
  trainingPriors: Float64Array,
  priors: Float64Array,
): void {
  const training = checkedPriors('trainingPriors', trainingPriors)
  const wanted = checkedPriors('priors', priors)
  if (training.length !== wanted.length) {
    throw invalid(`${training.length} trainingPriors but ${wanted.length} priors; give one a label`)
  }
  checkProbabilities(probabilities, training.length)
  const ratios = priorRatios(wanted, training)
  for (let start = 0; start < probabilities.length; start += ratios.length) {
    reweigh(probabilities, start, ratios)
  }
}

export interface PriorShiftTest extends EstimatedPriors {
  /** Twice the logarithm of how much better the estimated priors explain the answers. */
  readonly statistic: number
  /** How often answers with the old priors would say so by chance; below 0.05, correct them. */
  readonly pValue: number
}

/**
 * Whether labels became more or less common than in training: the paper's likelihood-ratio test, by
 * chi-squared with one degree of freedom fewer than labels. Arguments and errors as
 * `estimatePriors`.
 */
export function priorShiftTest(
  probabilities: Float64Array,
  trainingPriors: Float64Array,
  options: EstimatePriorsOptions = {},
): PriorShiftTest {
  const estimated = estimatePriors(probabilities, trainingPriors, options)
  const training = checkedPriors('trainingPriors', trainingPriors)
  const ratios = priorRatios(estimated.priors, training)
  let logRatio = 0
  for (let start = 0; start < probabilities.length; start += ratios.length) {
    let sum = 0
    for (let label = 0; label < ratios.length; label++) {
      sum += probabilities[start + label]! * ratios[label]!
    }
    if (isMass(sum)) logRatio += Math.log(sum)
  }
  // At no shift at all rounding may leave less than nothing.
  const statistic = Math.max(0, 2 * logRatio)
  return { ...estimated, statistic, pValue: chiSquaredTail(statistic, ratios.length - 1) }
}

/** By how much each label gained; a label that training never saw keeps what the model gives it: 0. */
function priorRatios(priors: Float64Array, training: Float64Array): Float64Array {
  return priors.map((prior, label) => (training[label]! > 0 ? prior / training[label]! : 0))
}

/** Multiplies and shares out again, in place; leaves alone a row of which nothing would be left. */
function reweigh(values: Float64Array, start: number, ratios: Float64Array): void {
  let sum = 0
  for (let label = 0; label < ratios.length; label++) sum += values[start + label]! * ratios[label]!
  if (!isMass(sum)) return
  for (let label = 0; label < ratios.length; label++) {
    values[start + label] = (values[start + label]! * ratios[label]!) / sum
  }
}

/** One step: the mean over the answers as they would be if labels were as common as `priors`. */
function meanAnswer(
  probabilities: Float64Array,
  priors: Float64Array,
  training: Float64Array,
): Float64Array {
  const count = priors.length
  const ratios = priorRatios(priors, training)
  const sums = new Float64Array(count)
  for (let start = 0; start < probabilities.length; start += count) {
    let mass = 0
    for (let label = 0; label < count; label++)
      mass += probabilities[start + label]! * ratios[label]!
    for (let label = 0; label < count; label++) {
      // A row whose labels are all held impossible says nothing: it counts as the priors so far.
      sums[label]! += isMass(mass)
        ? (probabilities[start + label]! * ratios[label]!) / mass
        : priors[label]!
    }
  }
  const total = sums.reduce((sum, value) => sum + value, 0)
  return sums.map((sum) => sum / total)
}

function farthestMove(before: Float64Array, after: Float64Array): number {
  return after.reduce((most, value, label) => Math.max(most, Math.abs(value - before[label]!)), 0)
}

function isMass(sum: number): boolean {
  return sum > 0 && sum < Number.POSITIVE_INFINITY
}

function checkOptions({
  maxIterations = 1000,
  tolerance = 1e-9,
  ...unknown
}: EstimatePriorsOptions) {
  const [name] = Object.keys(unknown)
  if (name !== undefined) {
    throw optionsInvalid(`unknown option '${name}'; known: maxIterations, tolerance`)
  }
  if (!(Number.isInteger(maxIterations) && maxIterations >= 1)) {
    throw optionsInvalid(`maxIterations is ${maxIterations}; give a whole number from 1`)
  }
  if (!(tolerance >= 0)) throw optionsInvalid(`tolerance is ${tolerance}; give a number from 0`)
  return { maxIterations, tolerance }
}

/** A copy that adds up to one exactly; it must do so to 1e-6. */
function checkedPriors(name: string, priors: Float64Array): Float64Array {
  const sum = priors.reduce((total, prior) => total + prior, 0)
  if (priors.length < 2 || priors.some((prior) => !(prior >= 0)) || !(Math.abs(sum - 1) <= 1e-6)) {
    throw invalid(
      `${name} are [${priors.subarray(0, 20).join(', ')}]; give shares that add up to one`,
    )
  }
  return priors.map((prior) => prior / sum)
}

function checkProbabilities(probabilities: Float64Array, labels: number): void {
  if (probabilities.length % labels !== 0) {
    throw invalid(`${probabilities.length} probabilities for ${labels} labels; give one each a row`)
  }
  const wrong = probabilities.find((probability) => !(probability >= 0 && probability <= 1 + 1e-9))
  if (wrong !== undefined) throw invalid(`a probability is ${wrong}; give numbers from 0 to 1`)
}

function invalid(what: string) {
  return fail('TRAINING_INVALID', `prior correction: ${what}`)
}

function optionsInvalid(what: string) {
  return fail('OPTIONS_INVALID', `prior correction: ${what}`)
}
