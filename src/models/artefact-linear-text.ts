/** A linear text classifier as header and sections of an artefact, and back with every check. */
import { codeOf, messageOf } from '../core/errors.ts'
import {
  type CountVectorizerOptions,
  checkCountVectorizerOptions,
  checkTfidfTransformerOptions,
  type TfidfTransformerOptions,
} from '../features/index.ts'
import { type DecodedArtefact, damaged, type Section, type Sections } from './artefact-format.ts'
import type { LinearTextModel } from './linear-text-model.ts'

export function encodeLinearTextModel(model: LinearTextModel): DecodedArtefact {
  const text = model.terms.join('')
  const units = new Uint16Array(text.length)
  for (let index = 0; index < text.length; index++) units[index] = text.charCodeAt(index)
  let end = 0
  const ends = Uint32Array.from(model.terms, (term) => (end += term.length))
  return {
    header: {
      kind: 'linear-text-classifier',
      labels: model.labels,
      parameters: {
        features: model.features,
        tfidf: model.tfidf === null ? null : model.tfidf.options,
        estimator: model.estimator,
      },
    },
    sections: {
      termEnds: ends,
      termUnits: units,
      ...(model.tfidf === null ? {} : { idf: model.tfidf.idf }),
      coefficients: model.coefficients,
      intercepts: model.intercepts,
    },
  }
}

interface Header {
  readonly labels: readonly string[]
  readonly parameters: {
    readonly features: CountVectorizerOptions
    readonly tfidf: TfidfTransformerOptions | null
    readonly estimator: LinearTextModel['estimator']
  }
}

/** Throws `MODEL_DAMAGED`; `where` names the file. */
export function decodeLinearTextModel(
  header: Readonly<Record<string, unknown>>,
  sections: Sections,
  where: string,
): LinearTextModel {
  const { labels, parameters } = checkHeader(header, where)
  const terms = decodeTerms(sections, where)
  const columns = terms.length
  const numbers = (name: string, length: number) =>
    checkNumbers(sections[name], name, length, where)
  try {
    return {
      labels,
      terms,
      features: checkCountVectorizerOptions(parameters.features),
      tfidf:
        parameters.tfidf === null
          ? null
          : {
              options: checkTfidfTransformerOptions(parameters.tfidf),
              idf: numbers('idf', columns),
            },
      estimator: parameters.estimator,
      coefficients: numbers('coefficients', labels.length * columns),
      intercepts: numbers('intercepts', labels.length),
    }
  } catch (error) {
    if (codeOf(error) !== 'OPTIONS_INVALID') throw error
    throw damaged(where, `its parameters are wrong: ${messageOf(error)}`, error)
  }
}

function checkHeader(header: Readonly<Record<string, unknown>>, where: string): Header {
  const { labels, parameters } = header as Partial<Header>
  const hasLabels =
    Array.isArray(labels) && labels.length > 1 && labels.every((l) => typeof l === 'string')
  const hasParameters =
    typeof parameters === 'object' &&
    typeof parameters?.features === 'object' &&
    parameters.features !== null &&
    typeof parameters.tfidf === 'object' &&
    typeof parameters.estimator?.name === 'string'
  if (!hasLabels || !hasParameters) throw damaged(where, 'its header lacks labels or parameters')
  return { labels: labels as readonly string[], parameters: parameters as Header['parameters'] }
}

function decodeTerms(sections: Sections, where: string): string[] {
  const { termEnds: ends, termUnits: units } = sections
  if (!(ends instanceof Uint32Array && units instanceof Uint16Array)) {
    throw damaged(where, 'its terms are missing')
  }
  let text = ''
  for (let start = 0; start < units.length; start += 8192) {
    text += String.fromCharCode(...units.subarray(start, start + 8192))
  }
  const terms: string[] = []
  let start = 0
  for (const end of ends) {
    if (end < start || end > text.length) throw damaged(where, 'its terms overlap')
    terms.push(text.slice(start, end))
    start = end
  }
  if (start !== text.length) throw damaged(where, 'its terms do not add up')
  return terms
}

function checkNumbers(
  section: Section | undefined,
  name: string,
  length: number,
  where: string,
): Float64Array {
  if (!(section instanceof Float64Array && section.length === length)) {
    throw damaged(where, `its section '${name}' does not hold ${length} numbers`)
  }
  if (!section.every(Number.isFinite)) {
    throw damaged(where, `its section '${name}' holds a number that is not finite`)
  }
  return section
}
