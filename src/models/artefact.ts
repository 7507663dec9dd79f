/**
 * Model artefacts: a model as bytes that depend on nothing but the model and what is said of its
 * training, and the model back from them. Where they are kept is the registry's affair.
 */
import { readFileSync } from 'node:fs'
import { fail } from '../core/errors.ts'
import { damaged, decodeArtefact, encodeArtefact } from './artefact-format.ts'
import { decodeLinearTextModel, encodeLinearTextModel } from './artefact-linear-text.ts'
import { CompiledTextClassifier } from './compiled-scorer.ts'
import type { TextClassifier } from './model.ts'

export interface ArtefactOptions {
  /**
   * Plain JSON about the training, for people: goes into the bytes, hence into their hash. What
   * differs from one training on the same rows to the next, as a time, does not belong here.
   */
  readonly training?: Readonly<Record<string, unknown>>
}

/** A model as bytes. Throws `OPTIONS_INVALID` for a model that is not one of ours. */
export function artefactBytes(model: TextClassifier, { training }: ArtefactOptions = {}): Buffer {
  const { model: plain } = model as Partial<CompiledTextClassifier>
  if (plain === undefined) {
    throw fail(
      'OPTIONS_INVALID',
      'model artefact: this model cannot be saved; give one that an estimator of Millrace learnt',
    )
  }
  const { header, sections } = encodeLinearTextModel(plain)
  return encodeArtefact(
    { ...header, libraryVersion: libraryVersion(), training: training ?? {} },
    sections,
  )
}

/**
 * The model in the bytes of an artefact. Throws `MODEL_DAMAGED` when they are cut short, altered, of
 * another format or not an artefact; `where` names the file.
 */
export function modelOfArtefact(bytes: Buffer, where: string): CompiledTextClassifier {
  const { header, sections } = decodeArtefact(bytes, where)
  if (header.kind !== 'linear-text-classifier') {
    throw damaged(where, `it holds a '${String(header.kind)}', which this Millrace does not know`)
  }
  return new CompiledTextClassifier(decodeLinearTextModel(header, sections, where))
}

/**
 * What an artefact says of itself: kind, parameters, labels, library version, training. Throws
 * `MODEL_DAMAGED`.
 */
export function describeArtefact(bytes: Buffer, where: string): Readonly<Record<string, unknown>> {
  return decodeArtefact(bytes, where).header
}

/** The version of Millrace, which goes into every artefact. */
export function libraryVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return version
}
