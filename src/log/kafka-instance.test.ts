import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { takeInstance } from './kafka-instance.ts'

const moduleUrl = new URL('./kafka-instance.ts', import.meta.url).href
/** No process has it: the kernel's highest is 4,194,304. */
const deadPid = '99999999'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'millrace-instance-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('the name of a process', () => {
  it('is its own while it runs, and free once it is given back', () => {
    const first = takeInstance(directory)
    const second = takeInstance(directory)
    assert.notEqual(first.name, second.name)
    first.release()
    assert.equal(takeInstance(directory).name, first.name)
  })

  it('of one that was killed goes to the next that starts', () => {
    const { name } = takeInstance(directory)
    writeFileSync(path.join(directory, 'kafka', 'instance-0'), deadPid)
    assert.equal(takeInstance(directory).name, name)
    assert.deepEqual(readdirSync(path.join(directory, 'kafka')).sort(), ['home', 'instance-0'])
  })

  it('is given once, however many start at the same time', async () => {
    const program = `
      import { parentPort } from 'node:worker_threads'
      const { takeInstance } = await import(${JSON.stringify(moduleUrl)})
      const names = []
      for (let taken = 0; taken < 30; taken++) {
        names.push(takeInstance(${JSON.stringify(directory)}).name)
      }
      parentPort.postMessage(names)`
    const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`)
    const names = await Promise.all([1, 2, 3].map(() => namesOf(new Worker(url))))
    assert.equal(new Set(names.flat()).size, 90)
  })
})

function namesOf(worker: Worker): Promise<string[]> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}
