/**
 * What a row costs whose score is on the wrong side, and how steeply the cost rises by the score:
 * the losses of scikit-learn's SGDClassifier. `sign` is 1 for rows of the label and -1 for the rest.
 */

export interface SgdLoss {
  cost(score: number, sign: number): number
  /** The derivative of `cost` by the score. */
  slope(score: number, sign: number): number
}

/** `max(0, threshold - sign * score)`: 1 is the support vector machine's, 0 the perceptron's. */
function hingeFrom(threshold: number): SgdLoss {
  return {
    cost: (score, sign) => Math.max(0, threshold - score * sign),
    slope: (score, sign) => (score * sign <= threshold ? -sign : 0),
  }
}

/** ln(1 + exp(value)), exact for both tails. */
function logOnePlusExp(value: number): number {
  return value > 0 ? value + Math.log1p(Math.exp(-value)) : Math.log1p(Math.exp(value))
}

export const sgdLosses = {
  hinge: hingeFrom(1),
  perceptron: hingeFrom(0),
  squared_hinge: {
    cost(score, sign) {
      const short = Math.max(0, 1 - score * sign)
      return short * short
    },
    slope: (score, sign) => -2 * sign * Math.max(0, 1 - score * sign),
  },
  log_loss: {
    cost: (score, sign) => logOnePlusExp(-score * sign),
    // Branch by branch scikit-learn's: whether a slope is 0 or 1e-310 decides if a row takes a step.
    slope(score, sign) {
      if (score <= -37) return Math.exp(score) - (sign > 0 ? 1 : 0)
      const power = Math.exp(-score)
      return (sign > 0 ? -power : 1) / (1 + power)
    },
  },
  /** Zhang, "Solving large scale linear prediction problems using SGD", ICML 2004. */
  modified_huber: {
    cost(score, sign) {
      const margin = score * sign
      if (margin >= 1) return 0
      return margin >= -1 ? (1 - margin) * (1 - margin) : -4 * margin
    },
    slope(score, sign) {
      const margin = score * sign
      if (margin >= 1) return 0
      return margin >= -1 ? -2 * (1 - margin) * sign : -4 * sign
    },
  },
} satisfies Record<string, SgdLoss>

export type SgdLossName = keyof typeof sgdLosses

export const sgdLossNames = Object.keys(sgdLosses) as SgdLossName[]
