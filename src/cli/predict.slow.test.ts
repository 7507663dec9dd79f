/** `millrace predict` as a process: large files in little memory, pipes that close, typing. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { mails, trainMails, writeMails } from './models-testing.ts'

const bin = path.resolve(import.meta.dirname, '../../bin/millrace.js')
const heapMegabytes = 48

describe('millrace predict as a process', () => {
  let shop: Workshop

  /** At its end it says on stderr how much memory it had at most, all told. */
  function start(words: readonly string[], stdin: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
    const env: NodeJS.ProcessEnv = { ...process.env, MILLRACE_DIR: shop.directory }
    delete env.NODE_TEST_CONTEXT
    delete env.MILLRACE_MODEL_STORE
    const tell =
      'process.on("exit",()=>process.stderr.write("maxRSS "+process.resourceUsage().maxRSS+"\\n"))'
    const flags = [
      `--max-old-space-size=${heapMegabytes}`,
      // Else what is young grows with the time there is, not with what is held.
      '--max-semi-space-size=4',
      `--import=data:text/javascript,${encodeURIComponent(tell)}`,
    ]
    return spawn(process.execPath, [...flags, bin, 'predict', 'mail', ...words], {
      env,
      stdio: [stdin, 'pipe', 'pipe'],
    })
  }

  async function ended(child: ChildProcess, onData: (data: string) => void = () => {}) {
    let stderr = ''
    child.stderr!.on('data', (data) => {
      stderr += data
    })
    child.stdout!.setEncoding('utf8').on('data', onData)
    const [code] = await once(child, 'close')
    const megabytes = Number(/maxRSS (\d+)/.exec(stderr)?.[1]) / 1024
    return { code, stderr: stderr.replace(/maxRSS \d+\n/, ''), megabytes }
  }

  /** Rows of about 600 bytes. */
  async function writeRows(name: string, count: number): Promise<string> {
    const file = path.join(shop.directory, name)
    const stream = createWriteStream(file)
    const filling = 'and the notes of the meeting on monday were lost '.repeat(11)
    stream.write('id,body\n')
    for (let id = 0; id < count; id++) {
      const room = stream.write(`${id},"win a prize ${id} ${filling}"\n`)
      if (!room) await once(stream, 'drain')
    }
    stream.end()
    await once(stream, 'close')
    return file
  }

  before(async () => {
    shop = await openWorkshop()
    await trainMails(shop, 'mail', writeMails(shop, 'learnt.csv', mails(300)))
  })
  after(() => shop.close())

  test('answers 200,000 rows in the memory that 10,000 take', async () => {
    const figures: number[] = []
    for (const count of [10_000, 200_000]) {
      const file = await writeRows(`${count}.csv`, count)
      let lines = 0
      const end = ended(start(['--data', file, '--keep', 'id']), (data) => {
        lines += data.split('\n').length - 1
      })
      const { code, stderr, megabytes } = await end
      assert.equal(code, 0, stderr)
      assert.equal(lines, count)
      figures.push(megabytes)
    }
    const [few, many] = figures
    // The file has 110 MB; the bound leaves room for when garbage happens to be collected.
    assert.ok(many! < few! + 50, `${few} MB for 10,000 rows, ${many} MB for 200,000`)
  })

  test('the same from stdin', async () => {
    const child = start([], 'pipe')
    let lines = 0
    const end = ended(child, (data) => {
      lines += data.split('\n').length - 1
    })
    const chunk = readFileSync(path.join(shop.directory, '10000.csv')).subarray(0, 4_000_000)
    const perChunk = chunk.toString().split('\n').length - 1
    for (let copy = 0; copy < 20; copy++) {
      if (!child.stdin!.write(chunk)) await once(child.stdin!, 'drain')
    }
    child.stdin!.end()
    const { code, stderr, megabytes } = await end
    assert.equal(code, 0, stderr)
    assert.equal(lines, perChunk * 20 + 1)
    assert.ok(megabytes < 200, `${megabytes} MB`)
  })

  test('ends quietly when nobody reads on', async () => {
    const child = start(['--data', path.join(shop.directory, '200000.csv')])
    const end = ended(child)
    child.stdout!.once('data', () => child.stdout!.destroy())
    const { code, stderr } = await end
    assert.deepEqual([code, stderr], [0, ''])
  })

  test('answers each line before the next is written', async () => {
    const child = start([], 'pipe')
    const end = ended(child)
    for (const text of ['win a prize', 'the agenda']) {
      const answer = once(child.stdout!, 'data')
      child.stdin!.write(`${text}\n`)
      const [line] = (await answer) as [string]
      assert.match(line, /^\{"row":\d,"label":"(spam|ham)","score":0\.\d+\}\n$/)
    }
    child.stdin!.end()
    const { code, stderr } = await end
    assert.equal(code, 0)
    assert.match(stderr, /^2 rows answered by mail version 1/)
  })

  test('fails with 1 and words, misuse with 2', async () => {
    const failed = await ended(start(['--data', 'nowhere.csv']))
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /^millrace: data: 'nowhere\.csv' does not exist/)
    const misused = await ended(start(['--dtaa', 'x']))
    assert.equal(misused.code, 2)
    assert.match(misused.stderr, /Did you mean --data\?/)
  })
})
