/** A linear text classifier as header and sections of an artefact, and back with every check. */
import { codeOf, messageOf } from '../core/errors.ts'
import { checkCleaning } from '../features/clean.ts'
import { columnsOf } from '../features/text-features.ts'
import { sortByCodePoint } from '../features/tokenise.ts'
import { decodeBlock, encodeBlock } from './artefact-block.ts'
import { type DecodedArtefact, damaged, type Sections } from './artefact-format.ts'
import { decodeLink, encodeLink } from './artefact-link.ts'
import { numbersIn } from './artefact-sections.ts'
import type { LinearTextModel } from './linear-text-model.ts'

const scoreKinds = ['softmax', 'one-vs-rest', 'margin']

export function encodeLinearTextModel(model: LinearTextModel): DecodedArtefact {
  const blocks = model.blocks.map(encodeBlock)
  const link = encodeLink(model.link)
  const { clean, scoreKind, binarize, minConfidence, estimator, priors } = model
  return {
    header: {
      kind: 'linear-text-classifier',
      labels: model.labels,
      parameters: {
        clean,
        blocks: blocks.map((block) => block.parameters),
        scoreKind,
        binarize,
        link: link.parameters,
        minConfidence,
        estimator,
        hasPriors: priors !== null,
      },
    },
    sections: {
      ...Object.assign({}, ...blocks.map((block) => block.sections)),
      coefficients: model.coefficients,
      intercepts: model.intercepts,
      trainingPriors: model.trainingPriors,
      ...(priors === null ? {} : { priors }),
      ...link.sections,
    },
  }
}

interface Header {
  readonly labels: readonly string[]
  readonly parameters: Pick<
    LinearTextModel,
    'clean' | 'scoreKind' | 'binarize' | 'minConfidence' | 'estimator'
  > & {
    readonly blocks: readonly Readonly<Record<string, unknown>>[]
    readonly link: Readonly<Record<string, unknown>>
    readonly hasPriors: boolean
  }
}

/** Throws `MODEL_DAMAGED`; `where` names the file. */
export function decodeLinearTextModel(
  header: Readonly<Record<string, unknown>>,
  sections: Sections,
  where: string,
): LinearTextModel {
  const { labels, parameters } = checkHeader(header, where)
  const { clean, scoreKind, binarize, minConfidence, estimator, hasPriors } = parameters
  try {
    const blocks = parameters.blocks.map((block, index) =>
      decodeBlock(block, sections, index, where),
    )
    const columns = blocks.reduce((sum, block) => sum + columnsOf(block), 0)
    const numbers = (name: string, length: number) => numbersIn(sections, name, length, where)
    const priorsIn = (name: string) => checkPriors(numbers(name, labels.length), name, where)
    return {
      labels,
      clean: checkCleaning(clean),
      blocks,
      scoreKind,
      binarize,
      link: decodeLink(parameters.link, sections, labels.length, where),
      minConfidence,
      estimator,
      coefficients: numbers('coefficients', labels.length * columns),
      intercepts: numbers('intercepts', labels.length),
      trainingPriors: priorsIn('trainingPriors'),
      priors: hasPriors ? priorsIn('priors') : null,
    }
  } catch (error) {
    if (codeOf(error) !== 'OPTIONS_INVALID') throw error
    throw damaged(where, `its parameters are wrong: ${messageOf(error)}`, error)
  }
}

function checkHeader(header: Readonly<Record<string, unknown>>, where: string): Header {
  const { labels, parameters } = header as Partial<Header>
  const hasLabels =
    Array.isArray(labels) &&
    labels.length > 1 &&
    labels.every((label) => typeof label === 'string') &&
    isSorted(labels as string[])
  const hasParameters =
    typeof parameters === 'object' &&
    Array.isArray(parameters?.clean) &&
    Array.isArray(parameters.blocks) &&
    parameters.blocks.length > 0 &&
    parameters.blocks.every((block) => typeof block === 'object' && block !== null) &&
    scoreKinds.includes(parameters.scoreKind) &&
    typeof parameters.link === 'object' &&
    parameters.link !== null &&
    isNullOrUpTo(Infinity, parameters.binarize) &&
    isNullOrUpTo(1, parameters.minConfidence) &&
    typeof parameters.hasPriors === 'boolean' &&
    typeof parameters.estimator?.name === 'string' &&
    typeof parameters.estimator.options === 'object'
  if (!hasLabels || !hasParameters) throw damaged(where, 'its header lacks labels or parameters')
  return { labels: labels as readonly string[], parameters: parameters as Header['parameters'] }
}

/** By code point, each once. */
function isSorted(labels: readonly string[]): boolean {
  const sorted = sortByCodePoint([...new Set(labels)])
  return sorted.length === labels.length && sorted.every((label, place) => label === labels[place])
}

/** Shares above zero that add up to one, or scores could not be corrected by them. */
function checkPriors(priors: Float64Array, name: string, where: string): Float64Array {
  const sum = priors.reduce((total, prior) => total + prior, 0)
  if (priors.every((prior) => prior > 0) && Math.abs(sum - 1) < 1e-6) return priors
  throw damaged(where, `its section '${name}' holds no shares that add up to one`)
}

function isNullOrUpTo(most: number, value: unknown): boolean {
  return value === null || (typeof value === 'number' && value >= 0 && value <= most)
}
