/** Calls to the server. What goes wrong is an Error whose message is a sentence for people. */
import type {
  ApiError,
  DeadLetterOrder,
  DeadLetterResult,
  DeadLettersPage,
  ExplainAnswer,
  ExplainRequest,
  MessagesPage,
  ModelRecord,
  ModelsPage,
  Trace,
} from '../../src/server/state.ts'

const patienceMs = 20_000

export const getJson = <Answer>(path: string) => call<Answer>(path, {})

const postJson = <Answer>(path: string, body: object) =>
  call<Answer>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

async function call<Answer>(path: string, init: RequestInit): Promise<Answer> {
  let response: Response
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(patienceMs) })
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError'
    throw new Error(
      isTimeout ? 'the server did not answer within 20 seconds' : 'the server cannot be reached',
    )
  }
  if (response.status === 204) return undefined as Answer
  if (response.ok) return (await response.json()) as Answer
  throw new Error(await problemOf(response))
}

async function problemOf(response: Response): Promise<string> {
  try {
    const { message } = (await response.json()) as Partial<ApiError>
    if (typeof message === 'string' && message !== '') return message
  } catch {
    // It is no answer of the API: a proxy's page, perhaps.
  }
  return `the server answered ${response.status} ${response.statusText}`.trimEnd()
}

export interface MessagesQuery {
  readonly limit?: number
  readonly before?: string | undefined
  readonly key?: string | undefined
  readonly id?: string | undefined
}

export function messagesOf(topic: string, query: MessagesQuery): Promise<MessagesPage> {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') words.set(name, String(value))
  }
  return getJson(`api/topics/${encodeURIComponent(topic)}/messages?${words}`)
}

export const traceOf = (id: string) => getJson<Trace>(`api/trace?id=${encodeURIComponent(id)}`)

export const models = () => getJson<ModelsPage>('api/models')

export const modelOf = (name: string) =>
  getJson<ModelRecord>(`api/models/${encodeURIComponent(name)}`)

export const explain = (name: string, request: ExplainRequest) =>
  postJson<ExplainAnswer>(`api/models/${encodeURIComponent(name)}/explain`, request)

export const deadLettersOf = (pipeline: string) =>
  getJson<DeadLettersPage>(`api/dead-letters/${encodeURIComponent(pipeline)}`)

export const workDeadLetters = (
  pipeline: string,
  work: 'replay' | 'drop',
  order: DeadLetterOrder,
) => postJson<DeadLetterResult>(`api/dead-letters/${encodeURIComponent(pipeline)}/${work}`, order)

/** The token becomes a cookie that scripts cannot read. */
export const beginSession = (token: string) => postJson<undefined>('api/session', { token })

export const endSession = () => call<undefined>('api/session', { method: 'DELETE' })

/** Whether the server is there and refuses to answer without a token; a stream of events cannot tell. */
export const isTokenWanted = () => isRefused({})

/** Whether it would refuse who brings no cookie: then this browser is signed in. */
export const hasSession = () => isRefused({ credentials: 'omit' })

async function isRefused(init: RequestInit): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(patienceMs)
    return (await fetch('api/state', { ...init, method: 'HEAD', signal })).status === 401
  } catch {
    return false
  }
}
