import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { codeOf, messageOf } from '../core/errors.ts'
import { artefactBytes, describeArtefact } from '../models/artefact.ts'
import { type FileRecipe, type FileTraining, trainFiles } from './train-files.ts'
import { mails } from './training-testing.ts'

describe('training from files', () => {
  let folder = ''
  let data = ''
  const write = (name: string, content: string) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  const csv = (rows: ReturnType<typeof mails>) =>
    `text,label,at\n${rows.map(({ body, kind, id }) => `${body},${kind},${id}\n`).join('')}`
  const recipe = (changes: Partial<FileRecipe> = {}): FileRecipe => ({
    kind: 'files',
    data,
    reading: {},
    test: null,
    holdout: 0.25,
    settings: { estimator: 'multinomial-nb' },
    ...changes,
  })
  const bytesOf = ({ trained }: FileTraining) =>
    artefactBytes(trained.classifier, { training: trained.training ?? {} })

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-train-'))
    data = write('mails.csv', csv(mails(100)))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('holds rows back by chance, the same for the same seed', async () => {
    const first = await trainFiles(recipe())
    assert.deepEqual([first.trainRows, first.testRows, first.report!.count], [75, 25, 25])
    const { facts } = first.trained
    assert.deepEqual((facts!.data as { test: object }).test, {
      split: 'holdout',
      share: 0.25,
      seed: 0,
    })
    assert.ok(bytesOf(first).equals(bytesOf(await trainFiles(recipe()))))
    const settings = { estimator: 'multinomial-nb', seed: 1 } as const
    assert.ok(!bytesOf(first).equals(bytesOf(await trainFiles(recipe({ settings })))))
  })

  test('holds back the last rows by time', async () => {
    const said: string[] = []
    const timed = recipe({ reading: { time: 'at' } })
    const { trained, trainRows } = await trainFiles(timed, (line) => void said.push(line))
    assert.equal(trainRows, 75)
    assert.deepEqual((trained.facts!.data as { test: object }).test, {
      split: 'by-time',
      share: 0.25,
    })
    // The number of a mail is a word of it: those learnt from are the first.
    const { blocks } = (trained.classifier as FileTraining['classifier']).model
    const terms = blocks.flatMap((block) => (block.vectorizer === 'count' ? block.terms : []))
    const numbers = terms.filter((term) => /^\d+$/.test(term)).map(Number)
    assert.ok(numbers.length > 50 && Math.max(...numbers) < 75)
    assert.match(said[0]!, /^reading .*mails\.csv$/)
  })

  test('evaluates on the file that is named, or on none', async () => {
    const asked = write('asked.csv', csv(mails(40, 2)))
    const named = await trainFiles(recipe({ test: asked, holdout: 0 }))
    assert.deepEqual([named.trainRows, named.testRows], [100, 40])
    const none = await trainFiles(recipe({ holdout: 0 }))
    assert.equal(none.report, undefined)
    assert.ok(!bytesOf(named).equals(bytesOf(none)), 'what was evaluated on is said of it')
  })

  test('keeps the way to the files in the recipe, and not a word of it in the artefact', async () => {
    const near = relative(process.cwd(), data)
    const result = await trainFiles(recipe({ data: near }))
    assert.deepEqual(result.trained.facts!.recipe, { ...recipe(), data })
    const moved = write('moved.csv', csv(mails(100)))
    const again = await trainFiles(recipe({ data: moved }))
    assert.ok(bytesOf(result).equals(bytesOf(again)))
    const about = JSON.stringify(describeArtefact(bytesOf(result), 'here'))
    assert.doesNotMatch(about, /mails\.csv|millrace-train/)
    assert.match(about, /"sha256":"\w{64}"/)
  })

  test('reads two files of lines', async () => {
    const rows = mails(60)
    const textFile = write('texts.txt', rows.map(({ body }) => `${body}\n`).join(''))
    const labelFile = write('labels.txt', rows.map(({ kind }) => `${kind}\n`).join(''))
    const { trained, trainRows } = await trainFiles(recipe({ data: { textFile, labelFile } }))
    assert.equal(trainRows, 45)
    assert.deepEqual(trained.facts!.recipe!.data, { textFile, labelFile })
    const moved = {
      textFile: write('moved.txt', rows.map(({ body }) => `${body}\n`).join('')),
      labelFile: write('kinds.txt', rows.map(({ kind }) => `${kind}\n`).join('')),
    }
    const again = await trainFiles(recipe({ data: moved }))
    const first = artefactBytes(trained.classifier, { training: trained.training! })
    assert.ok(bytesOf(again).equals(first), 'other names, the same lines')
  })

  test('names no file of a folder of many', async () => {
    for (const { id, body, kind } of mails(40)) {
      mkdirSync(join(folder, 'many', kind), { recursive: true })
      write(join('many', kind, String(id)), body)
    }
    const { trained } = await trainFiles(recipe({ data: join(folder, 'many') }))
    const { train } = trained.facts!.data as { train: Record<string, unknown> }
    assert.deepEqual([train.rows, train.fileCount, train.files], [40, 40, undefined])
    assert.match(String(train.sha256), /^\w{64}$/)
  })

  test('warns of rows that were passed over', async () => {
    const gaps = write('gaps.csv', `${csv(mails(50))}no label,,1\n`)
    const { warnings } = await trainFiles(recipe({ data: gaps, reading: { unlabelled: 'skip' } }))
    assert.ok(warnings.includes('rows passed over without a label: 1'), warnings.join())
  })

  test('refuses a share that is none', async () => {
    for (const holdout of [1, -0.1, Number.NaN]) {
      await assert.rejects(trainFiles(recipe({ holdout })), (error) => {
        assert.equal(codeOf(error), 'OPTIONS_INVALID')
        assert.match(messageOf(error), /holdout is/)
        return true
      })
    }
  })
})
