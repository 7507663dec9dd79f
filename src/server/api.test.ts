import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createMemoryLog } from '../log/memory.ts'
import { textClassifier } from '../models/text-classifier.ts'
import { latencyBoundsMs } from '../monitoring/latency.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { appendAll, readAll, runUntilCaughtUp } from '../pipeline/testing.ts'
import { topic } from '../pipeline/topic.ts'
import { type TestServer, testServer } from './server-testing.ts'
import type {
  ApiError,
  DeadLetterResult,
  DeadLettersPage,
  History,
  MessagesPage,
  State,
  Trace,
} from './state.ts'

interface Mail {
  readonly text: string
}

let isBroken = true
const mails = topic<Mail>('mails')
const checked = pipeline('checked')
  .from(mails)
  .map('check', (mail) => {
    if (isBroken && mail.text.startsWith('bad')) throw new RangeError(`cannot take ${mail.text}`)
    return mail
  })
  .to(topic<Mail>('mails.checked'))

/** Four mails of which two fail, worked on, and a server that has looked. */
async function served(): Promise<TestServer> {
  isBroken = true
  const log = createMemoryLog()
  await runUntilCaughtUp(log, [checked])
  const values = ['good one', 'bad one', 'good two', 'bad two']
  const messages = values.map((text, index) => ({ key: `k${index}`, value: { text }, time: index }))
  await appendAll(log, 'mails', messages)
  await runUntilCaughtUp(log, [checked])
  const server = testServer({ log })
  await server.monitor.look()
  return server
}

describe('the API', () => {
  it('tells state, history and health', async () => {
    const { json, ask } = await served()
    const state = await json<State>('/api/state')
    assert.deepEqual([state.version, state.pipelines[0]!.name], ['1.2.3', 'checked'])
    assert.equal((await json<History>('/api/history')).points.length, 1)
    assert.deepEqual(await json('/health/ready'), { status: 'ready', reasons: [] })
    assert.deepEqual(await json('/health/live'), { status: 'live', directory: 'here' })
    const missing = await ask('/api/nothing')
    const { code } = (await missing.json()) as ApiError
    assert.deepEqual([missing.status, code], [404, 'NOT_FOUND'])
  })

  it('shows the newest messages, and finds some by key', async () => {
    const { json, ask } = await served()
    const page = await json<MessagesPage>('/api/topics/mails/messages?limit=3')
    assert.deepEqual(
      page.messages.map((one) => [one.key, one.value, one.timeMs]),
      [
        ['k3', { text: 'bad two' }, 3],
        ['k2', { text: 'good two' }, 2],
        ['k1', { text: 'bad one' }, 1],
      ],
    )
    const older = await json<MessagesPage>(`/api/topics/mails/messages?before=${page.older}`)
    assert.deepEqual([older.messages.length, older.older], [1, null])
    const found = await json<MessagesPage>('/api/topics/mails/messages?key=k2')
    assert.deepEqual([found.messages.length, found.messages[0]!.offset], [1, 2])
    const wrong: readonly (readonly [string, number])[] = [
      ['/api/topics/mail/messages', 404],
      ['/api/topics/mails/messages?limit=0', 400],
      ['/api/topics/mails/messages?limit=9999', 400],
      ['/api/topics/mails/messages?before=1.2', 400],
      ['/api/topics/mails/messages?before=x', 400],
      ['/api/topics/mails/messages?what=1', 400],
      ['/api/trace', 400],
    ]
    for (const [path, status] of wrong) assert.equal((await ask(path)).status, status, path)
  })

  it('cuts long values, and shows what is no text as it can', async () => {
    const log = createMemoryLog()
    await log.createTopic('t', { partitions: 1 })
    const long = Buffer.from(`${'x'.repeat(4095)}é and more`)
    const values = [long, Buffer.from([0xff, 0]), Buffer.from('plain'), null]
    await appendAll(
      log,
      't',
      values.map((value, time) => ({ value, time })),
    )
    const { json } = testServer({ log })
    const { messages } = await json<MessagesPage>('/api/topics/t/messages')
    assert.deepEqual(
      messages.toReversed().map(({ value, isCut }) => [value, isCut]),
      [
        ['x'.repeat(4095), true],
        ['base64:/wA=', false],
        ['plain', false],
        [null, false],
      ],
    )
  })

  it('follows one message through all topics, into the dead letters too', async () => {
    const { json, log } = await served()
    const [good, bad] = await readAll(log, 'mails')
    const trace = await json<Trace>(`/api/trace?id=${encodeURIComponent(good!.id)}`)
    assert.deepEqual(
      trace.stops.map((stop) => stop.topic),
      ['mails', 'mails.checked'],
    )
    assert.deepEqual([trace.deadLetters, trace.searched.isComplete], [[], true])
    const other = await json<Trace>(`/api/trace?id=${encodeURIComponent(bad!.id)}`)
    assert.deepEqual([other.stops.length, other.deadLetters.length], [1, 1])
    assert.equal(other.deadLetters[0]!.message, 'cannot take bad one')
  })

  it('groups dead letters, replays some and drops others', async () => {
    const { json, post, log, ask, monitor } = await served()
    const { groups, isComplete } = await json<DeadLettersPage>('/api/dead-letters/checked')
    assert.deepEqual(
      groups.map(({ step, error, count }) => [step, error, count]),
      [['check', 'RangeError', 2]],
    )
    const [one, two] = groups[0]!.letters.toSorted((a, b) => a.offset - b.offset)
    assert.deepEqual([isComplete, one!.value, one!.topic], [true, { text: 'bad one' }, 'mails'])
    assert.deepEqual(JSON.parse(Buffer.from(one!.raw, 'base64').toString()), { text: 'bad one' })
    isBroken = false
    const replayed = await post('/api/dead-letters/checked/replay', { ids: [one!.id] })
    assert.deepEqual((await replayed.json()) as DeadLetterResult, { done: 1, cut: [] })
    const dropped = await post('/api/dead-letters/checked/drop', { ids: [two!.id], step: 'check' })
    assert.deepEqual((await dropped.json()) as DeadLetterResult, { done: 1, cut: [] })
    await runUntilCaughtUp(log, [checked])
    assert.equal((await readAll(log, 'mails.checked')).length, 3)
    await monitor.look()
    const [state] = monitor.state.pipelines
    assert.deepEqual([state!.deadLetters, state!.isBalanced], [0, true])
    for (const body of [{}, { ids: [] }, { ids: ['x'], all: true }, []]) {
      assert.equal((await post('/api/dead-letters/checked/drop', body)).status, 400)
    }
    assert.equal((await ask('/api/dead-letters/nobody')).status, 404)
    const text = await ask('/api/dead-letters/checked/drop', { method: 'POST', body: '{}' })
    assert.equal(text.status, 415)
  })

  it('explains what a registered model answers', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-server-'))
    try {
      const { Registry, openDirectoryStore } = await import('../registry/index.ts')
      const { artefactBytes } = await import('../models/artefact.ts')
      const log = createMemoryLog()
      const model = textClassifier().fit(['win a prize', 'see you soon'], ['spam', 'ham'])
      const registry = new Registry({ log, store: openDirectoryStore(join(directory, 'models')) })
      await registry.register('mail', artefactBytes(model))
      const { json, post } = testServer({ log, directory })
      const { models } = await json<{ models: { name: string }[] }>('/api/models')
      assert.deepEqual(
        models.map(({ name }) => name),
        ['mail'],
      )
      assert.equal((await json<{ versions: unknown[] }>('/api/models/mail')).versions.length, 1)
      const answer = await post('/api/models/mail/explain', { text: 'a prize for you', top: 1 })
      const told = (await answer.json()) as { label: string; version: number; terms: object[] }
      assert.deepEqual([told.label, told.version, told.terms.length], ['spam', 1, 1])
      assert.equal((await post('/api/models/other/explain', { text: 'x' })).status, 404)
      assert.equal((await post('/api/models/mail/explain', { text: 'x', version: 9 })).status, 404)
      assert.equal((await post('/api/models/mail/explain', { text: 'x', label: '?' })).status, 400)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('has metrics with help and units, as the state says', async () => {
    const { ask } = await served()
    const response = await ask('/metrics')
    assert.match(response.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    const lines = [
      'millrace_messages_total{pipeline="checked",step="check",disposition="dead_lettered"} 2',
      'millrace_emitted_messages_total{pipeline="checked",step="check"} 2',
      'millrace_lag_messages{pipeline="checked"} 0',
      'millrace_dead_letters{pipeline="checked"} 2',
      'millrace_ledger_balanced{pipeline="checked"} 1',
      'millrace_commit_latency_seconds_bucket{pipeline="checked",le="+Inf"} 0',
      'millrace_ready 1',
    ]
    for (const line of lines) assert.ok(text.includes(`\n${line}\n`), line)
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!)
    assert.deepEqual(
      names.toSorted(),
      [...text.matchAll(/^# HELP (\S+)/gm)].map((one) => one[1]!).toSorted(),
    )
    const bounds = [...text.matchAll(/_bucket\{pipeline="checked",le="([\d.]+)"/g)].map(
      (one) => +one[1]!,
    )
    assert.equal(bounds.length, 22)
    assert.ok(
      bounds.every((bound) => latencyBoundsMs.includes(Number((bound * 1000).toPrecision(6)))),
    )
    assert.equal(await (await ask('/metrics')).text(), text, 'a second look adds nothing')
  })

  it('describes itself: every path with an answer, and parameters as schemas', async () => {
    const { json } = await served()
    interface Operation {
      readonly summary: string
      readonly parameters: { name: string; in: string; schema: object }[]
      readonly responses: Record<string, object>
    }
    const { openapi, paths } = await json<{
      openapi: string
      paths: Record<string, Record<string, Operation>>
    }>('/openapi.json')
    assert.equal(openapi, '3.1.0')
    for (const path of ['/api/state', '/api/events', '/metrics', '/health/ready', '/api/session']) {
      assert.ok(paths[path] !== undefined, path)
    }
    const { parameters } = paths['/api/topics/{name}/messages']!.get!
    assert.deepEqual(
      parameters.map((one) => [one.name, one.in]),
      [
        ['name', 'path'],
        ['limit', 'query'],
        ['before', 'query'],
        ['key', 'query'],
        ['id', 'query'],
      ],
    )
    assert.deepEqual(parameters[1]!.schema, {
      default: 50,
      type: 'integer',
      minimum: 1,
      maximum: 200,
    })
  })
})

describe('files of the page', () => {
  it('come from their folder alone, with their types', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-page-'))
    try {
      const dist = join(folder, 'dist')
      mkdirSync(join(dist, 'assets'), { recursive: true })
      writeFileSync(join(folder, 'secret.txt'), 'secret')
      writeFileSync(join(dist, '.env'), 'secret')
      symlinkSync(join(folder, 'secret.txt'), join(dist, 'link.txt'))
      const { ask } = testServer({ pageFolder: dist })
      assert.match(await (await ask('/')).text(), /npm run build:web/)
      writeFileSync(join(dist, 'index.html'), '<p>page</p>')
      writeFileSync(join(dist, 'assets', 'main-1.js'), 'go()')
      const page = await ask('/')
      assert.deepEqual(
        [await page.text(), page.headers.get('cache-control')],
        ['<p>page</p>', 'no-cache'],
      )
      const script = await ask('/assets/main-1.js')
      assert.match(script.headers.get('content-type')!, /^text\/javascript/)
      assert.match(script.headers.get('cache-control')!, /immutable/)
      const etag = page.headers.get('etag')!
      assert.equal((await ask('/', { headers: { 'if-none-match': etag } })).status, 304)
      const tricks = [
        '/../secret.txt',
        '/%2e%2e/secret.txt',
        '/..%2fsecret.txt',
        '/link.txt',
        '/.env',
      ]
      for (const path of [...tricks, '/assets', '/assets/..%5c..%5csecret.txt', '/%00', '/%zz']) {
        const response = await ask(path)
        assert.equal(response.status, 404, path)
        assert.doesNotMatch(await response.text(), /secret/)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
