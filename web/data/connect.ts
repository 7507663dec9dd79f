/** Keeps the store up to date from `/api/events`, and says how the connection is. */
import type { History, PanelsPage, State } from '../../src/server/state.ts'
import { getJson, isTokenWanted } from './api.ts'
import type { Store } from './store.ts'

/** The server speaks each second; after this long it is not there, whatever the browser believes. */
const silenceMs = 6000
/** So long it may take a server to start again before it counts as gone. */
const goneMs = 20_000
const retryMs = 1500

export function connect(store: Store): void {
  let events: EventSource | undefined
  let heardAt = Date.now()
  let lostAt: number | undefined
  let triedAt = 0
  let isLive = false
  let isLocked = false

  const open = () => {
    triedAt = Date.now()
    events?.close()
    events = new EventSource('api/events')
    events.addEventListener('state', (event) => hear(JSON.parse(event.data) as State))
    events.addEventListener('panels', (event) => {
      store.takePanels(JSON.parse(event.data) as PanelsPage)
    })
    events.addEventListener('error', lose)
  }
  const hear = (state: State) => {
    heardAt = Date.now()
    lostAt = undefined
    store.takeState(state)
    if (isLive) return
    isLive = true
    store.takeConnection({ kind: 'live', sinceMs: heardAt })
    // What happened meanwhile, and at first what happened before.
    getJson<History>('api/history').then(
      ({ points }) => store.takeHistory(points),
      () => undefined,
    )
  }
  const lose = () => {
    if (isLocked) return
    isLive = false
    if (events?.readyState === EventSource.CLOSED) lookWhy()
    lostAt ??= Date.now()
    const kind = Date.now() - lostAt > goneMs ? 'gone' : 'reconnecting'
    store.takeConnection({ kind, sinceMs: lostAt })
  }

  const lookWhy = async () => {
    if (!(await isTokenWanted())) return
    isLocked = true
    store.takeConnection({ kind: 'locked', sinceMs: Date.now() })
  }

  open()
  setInterval(() => {
    const now = Date.now()
    // Who gives the token loads the page anew.
    if (isLocked) return
    if (lostAt === undefined && now - heardAt < silenceMs) return
    lose()
    // The browser tries again by itself, but not after an answer that is no stream of events.
    const isStuck = events?.readyState === EventSource.CLOSED || now - triedAt > silenceMs
    if (isStuck && now - triedAt >= retryMs) open()
  }, 1000)
}
