import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { FiguresTeller } from '../monitoring/figures.ts'
import { BoardTeller } from '../panels/told-boards.ts'
import { testServer } from './server-testing.ts'
import type { History, HistoryPoint, State } from './state.ts'

interface Heard {
  readonly event: string
  readonly id: string | undefined
  readonly data: unknown
}

/** Reads events of a stream one by one; those of panels only where they are asked for. */
function listener(response: Response, isHeard = (event: string) => event !== 'panels') {
  const reader = response.body!.getReader()
  let text = ''
  return {
    async next(): Promise<Heard> {
      for (;;) {
        const end = text.indexOf('\n\n')
        if (end < 0) {
          const { value, done } = await reader.read()
          if (done) throw new Error('the stream has ended')
          text += Buffer.from(value).toString()
          continue
        }
        const fields = new Map(
          text
            .slice(0, end)
            .split('\n')
            .map((line) => line.split(/: (.*)/s) as [string, string]),
        )
        text = text.slice(end + 2)
        const data = fields.get('data')
        if (data === undefined) continue
        if (!isHeard(fields.get('event')!)) continue
        return { event: fields.get('event')!, id: fields.get('id'), data: JSON.parse(data) }
      }
    },
    end: () => reader.cancel(),
  }
}

function server() {
  let nowMs = 1_000_000
  const clock = { ...systemClock, now: () => nowMs }
  const own = testServer({ clock })
  const look = async () => {
    nowMs += 1000
    await own.monitor.look()
  }
  return { ...own, look }
}

describe('events', () => {
  it('tell the state at once and after each look, with its point', async () => {
    const { ask, look, close } = server()
    await look()
    const response = await ask('/api/events')
    assert.match(response.headers.get('content-type')!, /^text\/event-stream/)
    const events = listener(response)
    const first = await events.next()
    assert.deepEqual(
      [first.event, first.id, (first.data as State).atMs],
      ['state', '1001000', 1_001_000],
    )
    await look()
    const point = await events.next()
    assert.deepEqual([point.event, (point.data as HistoryPoint).atMs], ['point', 1_002_000])
    assert.equal((await events.next()).id, '1002000')
    await close()
    await assert.rejects(events.next())
  })

  it('give what was missed to whoever comes back', async () => {
    const { ask, look, close } = server()
    for (let second = 0; second < 5; second++) await look()
    const events = listener(await ask('/api/events', { headers: { 'last-event-id': '1002000' } }))
    const { event, data } = await events.next()
    const { points } = data as History
    assert.deepEqual(
      [event, points.map(({ atMs }) => atMs)],
      ['history', [1_003_000, 1_004_000, 1_005_000]],
    )
    assert.equal((await events.next()).event, 'state')
    await events.end()
    await close()
  })

  it('drop a client that does not read, and refuse more than a hundred', async () => {
    const { ask, log, look, close } = server()
    // A state as large as none is, so that few of them fill the buffer.
    const app = { about: 'x'.repeat(400_000), plans: [] }
    const teller = new FiguresTeller({ log, clock: systemClock, app, problem: assert.fail })
    await teller.tell({ pipelines: {}, figures: {} })
    await look()
    const silent = await ask('/api/events')
    const clients = [silent]
    for (let count = 1; count < 100; count++) clients.push(await ask('/api/events'))
    assert.equal((await ask('/api/events')).status, 503)
    for (let second = 0; second < 4; second++) await look()
    assert.equal((await ask('/api/events')).status, 200, 'the silent ones have gone')
    const reader = silent.body!.getReader()
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    })
    await close()
  })

  it('tell what panels show at once, and again only when that changes', async () => {
    const { ask, look, log, close } = server()
    const teller = new BoardTeller({ log, key: 'k', app: 'demo/app.ts', problem: assert.fail })
    const words = (text: string) => {
      const panel = { kind: 'text', title: 'About', note: null, paragraphs: [text] } as const
      return [{ title: 'Demo', panels: [panel] }]
    }
    await look()
    const events = listener(await ask('/api/events'), (event) => event !== 'point')
    assert.deepEqual(await events.next(), { event: 'panels', id: undefined, data: { boards: [] } })
    assert.equal((await events.next()).event, 'state')
    await teller.tell(words('one'), 5)
    await look()
    const { event, data } = await events.next()
    assert.equal(event, 'panels')
    const board = { app: 'demo/app.ts', atMs: 5, sections: words('one') }
    assert.deepEqual(data, { boards: [board] })
    assert.equal((await events.next()).event, 'state')
    await look()
    assert.equal((await events.next()).event, 'state')
    assert.deepEqual(await (await ask('/api/panels')).json(), { boards: [board] })
    await events.end()
    await close()
  })
})
