/** Addresses with places for keys: what may stand there, and what a key becomes. */
import { fieldsOf } from './key.ts'
import type { LookupKey } from './lookup.ts'

const places = /\{(key|keys|\d+)\}/g

interface Given {
  readonly connection?: string | undefined
  readonly body?: unknown
  readonly maxKeys: number
}

/** Why a text is no address; the text itself is not said, it may hold a password. */
export function whyNoAddress(
  url: string,
  { connection, body, maxKeys }: Given,
): string | undefined {
  if (connection !== undefined) {
    if (!url.startsWith('/')) return "with a connection give the path, which begins with '/'"
  } else {
    const parsed = URL.parse(url.replace(places, 'x'))
    if (parsed === null || !/^https?:$/.test(parsed.protocol)) return 'give http(s)://host/path'
    if (parsed.username !== '' || parsed.password !== '') {
      return 'take username and password out of the address: name a connection that has them'
    }
    if (/\{/.test(url.split('/').slice(0, 3).join('/'))) return 'the host cannot be a key'
  }
  const found = new Set([...url.matchAll(places)].map(([, name]) => name))
  if (found.size === 0 && body === undefined)
    return 'say where the key stands, with {key} or {keys}'
  const isSeveral = maxKeys > 1
  if (isSeveral && [...found].some((name) => name !== 'keys')) {
    return 'with maxKeys above 1 it is {keys} that stands for them'
  }
  return undefined
}

/** Throws for a key that would make it another address. */
export function addressOf(url: string, keys: readonly LookupKey[]): string {
  return url.replace(places, (_, name: string) => {
    if (name === 'keys') return keys.map(encoded).join(',')
    const [key] = keys as [LookupKey]
    if (name === 'key') return encoded(key)
    const field = fieldsOf(key)[Number(name)]
    if (field === undefined) throw new TypeError(`the key has no field ${name}`)
    return encoded(field)
  })
}

/** The key as services write it. */
export const fieldText = (key: LookupKey): string => fieldsOf(key).map(String).join(',')

function encoded(key: LookupKey): string {
  const text = fieldText(key)
  // They would lead to another path; encoded they mean the same.
  if (text === '' || text === '.' || text === '..') {
    throw new TypeError(`'${text}' cannot stand in an address`)
  }
  return encodeURIComponent(text)
}
