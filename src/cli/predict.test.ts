import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { codeOf, messageOf } from '../core/errors.ts'
import { explain } from '../models/explain.ts'
import type { LoadedModel } from '../registry/registry.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { loadModel } from './model-registry.ts'
import { mails, trainMails, writeMails } from './models-testing.ts'
import { predictCommand } from './predict.ts'

async function* streamOf(...chunks: (string | Buffer)[]) {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

describe('millrace predict', () => {
  let shop: Workshop
  let data: string
  let model: LoadedModel
  const asked = mails(1500, 2)
  const run = (...words: string[]) => shop.run(predictCommand(shop.context), 'mail', ...words)
  const pipe = (input: AsyncIterable<Buffer>, ...words: string[]) =>
    shop.run(
      predictCommand(shop.context, () => input),
      'mail',
      ...words,
    )
  const lines = (printed: string) => printed.split('\n').map((line) => JSON.parse(line))
  const file = (name: string, content: string | Buffer) => {
    const path = join(shop.directory, name)
    writeFileSync(path, content)
    return path
  }
  const refused = (running: Promise<unknown>, code: string, expected: RegExp) =>
    assert.rejects(running, (error) => {
      assert.equal(codeOf(error), code, messageOf(error))
      assert.match(messageOf(error), expected)
      return true
    })

  before(async () => {
    shop = await openWorkshop()
    await trainMails(shop, 'mail', writeMails(shop, 'learnt.csv', mails(300)))
    data = writeMails(shop, 'asked.csv', asked)
    model = await loadModel(shop.context(), 'mail')
  })
  after(() => shop.close())

  test('answers every row in order, as the model does, from the columns it learnt from', async () => {
    const expected = model.classifier.predict(asked.map(({ body }) => body))
    const answers = lines(await run('--data', data))
    assert.deepEqual(
      answers,
      expected.map((answer, index) => ({ row: index + 1, ...answer })),
    )
    assert.match(
      shop.said.at(-1)!,
      /^1,500 rows answered by mail version 1 \(\w+\), [\d,]+ rows\/s$/,
    )
  })

  test('copies columns, renamed where asked, and refuses names that answers have', async () => {
    const [first] = lines(await run('--data', data, '--keep', 'id,kind=truth'))
    assert.deepEqual(Object.keys(first), ['row', 'id', 'truth', 'label', 'score'])
    assert.deepEqual([first.id, first.truth], ['0', asked[0]!.kind])
    const keep = (columns: string) => run('--data', data, '--keep', columns)
    await refused(keep('label'), 'OPTIONS_INVALID', /--keep label=my_label/)
    await refused(keep('id,id'), 'OPTIONS_INVALID', /has a 'id' already/)
    await refused(keep('kid'), 'TRAINING_DATA_INVALID', /did you mean 'id'/)
  })

  test('gives all probabilities, and the terms that moved an answer', async () => {
    const words = ['--probabilities', '--explain', '2']
    const answer = lines(await run('--data', data, ...words))[6]
    const { body } = asked[6]!
    const [ham, spam] = model.classifier.predictProbabilities([body])
    assert.deepEqual(answer.probabilities, { ham, spam })
    const { label, intercept, terms, otherTerms } = explain(model.classifier, body, { top: 2 })
    const named = terms.map(({ term, contribution }) => ({ term, contribution }))
    assert.deepEqual(answer.explanation, { label, intercept, terms: named, otherTerms })
    const byDefault = lines(await run('--data', data, '--explain'))
    assert.equal(Math.max(...byDefault.map(({ explanation }) => explanation.terms.length)), 5)
  })

  test('reads lines of stdin as they come, also torn ones', async () => {
    const answers = lines(
      await pipe(streamOf('\ufeffwin a pr', 'ize\r\n\nthe age', 'nda'), '--keep', 'text'),
    )
    assert.deepEqual(
      answers.map(({ row, text }) => [row, text]),
      [
        [1, 'win a prize'],
        [2, ''],
        [3, 'the agenda'],
      ],
    )
    assert.match(shop.said.join('\n'), /without a term that the model knows: 1 of 3; their answer/)
  })

  test('answers a line before the next one is there', async () => {
    const printed: string[] = []
    const context = () => {
      const here = shop.context()
      const print = async (text: string) => void printed.push(text)
      return { ...here, output: { ...here.output, print } }
    }
    async function* typed() {
      for (const text of ['win a prize', 'the agenda']) {
        const before = printed.length
        yield Buffer.from(`${text}\n`)
        assert.equal(printed.filter((line) => line !== '').length, before + 1)
      }
    }
    const input = Object.assign(typed(), { isTTY: true })
    await shop.run(
      predictCommand(context, () => input),
      'mail',
    )
    assert.equal(printed.filter((line) => line !== '').length, 2)
    assert.deepEqual(shop.said, ['type a text a line; Ctrl-D ends'])
  })

  test('reads NDJSON from stdin, and nothing that only a file can be', async () => {
    const input = () =>
      streamOf('{"id":1,"body":"win a prize"}\n\n', '{"body":"the agenda","id":2}')
    const answers = lines(await pipe(input(), '--format', 'ndjson', '--keep', 'id'))
    assert.deepEqual(
      answers.map(({ row, id, label }) => [row, id, label]),
      [
        [1, 1, 'spam'],
        [2, 2, 'ham'],
      ],
    )
    await refused(pipe(input(), '--format', 'csv'), 'OPTIONS_INVALID', /not as csv; save it/)
    await refused(pipe(input(), '--columns', 'a'), 'OPTIONS_INVALID', /--columns means nothing/)
    const wrong = pipe(streamOf('{"body":"x"}\n[1]\n'), '--format', 'ndjson')
    await refused(wrong, 'TRAINING_DATA_INVALID', /stdin:2: it is no JSON object but '\[1\]'/)
    const latin = pipe(streamOf('fine\n', Buffer.from([0x63, 0xe9, 0x0a])))
    await refused(latin, 'TRAINING_DATA_INVALID', /stdin:2: it is not valid UTF-8/)
  })

  test('stops at a row without a text, with the rows before it answered', async () => {
    const path = file('gaps.ndjson', '{"body":"win"}\n{"body":null}\n{"body":"agenda"}\n')
    const printed: string[] = []
    const context = () => {
      const here = shop.context()
      const print = async (text: string) => void printed.push(text)
      return { ...here, output: { ...here.output, print } }
    }
    const running = shop.run(predictCommand(context), 'mail', '--data', path)
    await refused(
      running,
      'TRAINING_DATA_INVALID',
      /gaps\.ndjson:2 has no text in 'body'; .*--skip/,
    )
    assert.equal(lines(printed.join('\n')).length, 1)
  })

  test('passes over what cannot be read or has no text where asked, and counts it', async () => {
    const ndjson = file(
      'bad.ndjson',
      '{"body":"win"}\n{"body":7}\nnonsense\n{"b":1}\n{"body":"a"}\n',
    )
    const answers = lines(await run('--data', ndjson, '--skip-errors'))
    assert.deepEqual(
      answers.map(({ row }) => row),
      [1, 4],
    )
    assert.match(shop.said.join('\n'), /rows passed over: 3; the first: .*bad\.ndjson/)
    const csv = file('bad.csv', 'id,body\n1,win\n2,a,b\n3,agenda\n')
    await refused(run('--data', csv), 'TRAINING_DATA_INVALID', /bad\.csv:3: it has 3 fields/)
    const kept = lines(await run('--data', csv, '--skip-errors', '--keep', 'id'))
    assert.deepEqual(
      kept.map(({ row, id }) => [row, id]),
      [
        [1, '1'],
        [2, '3'],
      ],
    )
  })

  test('reads files of lines, compressed ones and folders', async () => {
    const text = file('texts.txt', 'win a prize\n\nthe agenda\n')
    assert.equal(lines(await run('--data', text)).length, 3)
    const named = file('texts.gz', gzipSync('win a prize\nthe agenda\n'))
    assert.equal(lines(await run('--text-file', named)).length, 2)
    mkdirSync(join(shop.directory, 'folder', 'inbox'), { recursive: true })
    file('folder/inbox/1', 'win a prize')
    const [answer] = lines(await run('--data', join(shop.directory, 'folder'), '--keep', 'id'))
    assert.deepEqual([answer.id, answer.label], ['inbox/1', 'spam'])
  })

  test('ends when nobody reads the answers any more', async () => {
    const closed = new AbortController()
    let printed = 0
    const context = () => {
      const here = shop.context()
      const print = async () => {
        printed++
        closed.abort()
      }
      return { ...here, output: { ...here.output, print, closed: closed.signal } }
    }
    await shop.run(predictCommand(context), 'mail', '--data', data)
    assert.equal(printed, 1)
    assert.deepEqual(shop.said, [])
  })
})
