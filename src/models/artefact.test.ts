import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { decodeArtefact, encodeArtefact } from './artefact-format.ts'
import {
  artefactBytes,
  describeArtefact,
  loadArtefact,
  saveArtefact,
  textClassifier,
} from './index.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const fit = () =>
  textClassifier({ features: { ngramRange: [1, 2] }, tfidf: true }).fit(
    ['win a prize 😀 ΟΔΟΣ 𐐀𐐀', 'notes of the meeting', 'prize win'],
    ['spam', 'ham', 'spam'],
  )

describe('models: artefacts', () => {
  let store = ''
  before(async () => {
    store = await mkdtemp(join(tmpdir(), 'millrace-artefacts-'))
  })
  after(() => rm(store, { recursive: true, force: true }))

  /** Puts bytes in the store as an artefact whose hash is right. */
  async function plant(bytes: Buffer): Promise<string> {
    const hash = sha256(bytes)
    await writeFile(join(store, `${hash}.model`), bytes)
    return hash
  }

  const refuses = (hash: string, code: string, about = '') =>
    assert.rejects(loadArtefact(store, hash), (error) => codeOf(error) === code, about)

  it('keeps one file a model, named by the hash of its bytes, and nothing else', async () => {
    const hash = await saveArtefact(store, fit())
    assert.equal(await saveArtefact(store, fit()), hash)
    assert.deepEqual(await readdir(store), [`${hash}.model`])
    assert.equal(sha256(await readFile(join(store, `${hash}.model`))), hash)
  })

  it('says what a model is, and who trained it on what is part of it', async () => {
    const training = { rows: 3, nested: { b: 1, a: 2 } }
    const hash = await saveArtefact(store, fit(), { training })
    const reordered = { nested: { a: 2, b: 1 }, rows: 3 }
    assert.equal(await saveArtefact(store, fit(), { training: reordered }), hash)
    assert.notEqual(await saveArtefact(store, fit()), hash)
    const header = await describeArtefact(store, hash)
    assert.equal(header.kind, 'linear-text-classifier')
    assert.deepEqual(header.labels, ['ham', 'spam'])
    assert.deepEqual(header.training, training)
    assert.match(String(header.libraryVersion), /^\d+\.\d+\.\d+/)
  })

  it('refuses a file that is cut short or has any byte altered', async () => {
    const bytes = artefactBytes(fit())
    const hash = sha256(bytes)
    const path = join(store, `${hash}.model`)
    for (let at = 0; at < bytes.length; at += 7) {
      const altered = Buffer.from(bytes)
      altered[at]! ^= 1 << (at % 8)
      await writeFile(path, at % 2 === 0 ? altered : bytes.subarray(0, at))
      await refuses(hash, 'MODEL_DAMAGED', `byte ${at}`)
    }
    assert.equal(await saveArtefact(store, fit()), hash, 'saving again repairs')
    assert.deepEqual((await loadArtefact(store, hash)).labels, ['ham', 'spam'])
  })

  it('is never half loaded, even where the hash is right', async () => {
    const bytes = artefactBytes(fit())
    for (let end = 0; end < bytes.length; end += 5) {
      await refuses(await plant(bytes.subarray(0, end)), 'MODEL_DAMAGED', `cut at ${end}`)
    }
    const newer = Buffer.from(bytes)
    newer.writeUInt32LE(2, 8)
    await refuses(await plant(newer), 'MODEL_DAMAGED')
    await refuses(await plant(Buffer.concat([bytes, Buffer.alloc(8)])), 'MODEL_DAMAGED')
    await refuses(await plant(Buffer.from('{"not": "ours"}')), 'MODEL_DAMAGED')
  })

  it('checks what the header and the sections say against each other', async () => {
    const { header, sections } = decodeArtefact(artefactBytes(fit()), 'here')
    const parameters = header.parameters as Record<string, unknown>
    const notFinite = Float64Array.from(sections.coefficients!)
    notFinite[3] = Number.NaN
    const wrong: [Record<string, unknown>, typeof sections][] = [
      [{ ...header, kind: 'tree' }, sections],
      [{ ...header, labels: ['ham'] }, sections],
      [{ ...header, labels: ['ham', 'spam', 'x'] }, sections],
      [{ ...header, parameters: {} }, sections],
      [{ ...header, parameters: { ...parameters, features: { analyzer: 'char' } } }, sections],
      [header, { ...sections, coefficients: notFinite }],
      [header, { ...sections, idf: Float64Array.of(1) }],
      [header, { ...sections, termEnds: Uint32Array.of(1, 2) }],
      [header, { ...sections, termUnits: Uint16Array.of(97) }],
      [header, {}],
    ]
    for (const [index, [head, parts]] of wrong.entries()) {
      await refuses(await plant(encodeArtefact(head, parts)), 'MODEL_DAMAGED', `case ${index}`)
    }
    assert.ok(await loadArtefact(store, await plant(encodeArtefact(header, sections))))
  })

  it('says which model is not there, and refuses a name that is no hash', async () => {
    await refuses('0'.repeat(64), 'MODEL_UNKNOWN')
    await refuses('../../etc/passwd', 'MODEL_UNKNOWN')
  })

  it('refuses to save what no estimator of ours learnt', async () => {
    const other = {
      labels: ['x', 'y'],
      predict: () => [],
      predictProbabilities: () => new Float64Array(),
    }
    await assert.rejects(saveArtefact(store, other), (error) => codeOf(error) === 'OPTIONS_INVALID')
  })

  it('says when the store cannot be written', async () => {
    const file = join(store, 'a-file')
    await writeFile(file, '')
    await chmod(file, 0o400)
    await assert.rejects(
      saveArtefact(file, fit()),
      (error) => codeOf(error) === 'DIRECTORY_UNUSABLE',
    )
  })
})
