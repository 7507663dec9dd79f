/** Changes of keyed state as messages: which topic they go to, and the last change of each key. */
import { BatchBuilder } from '../core/batch-builder.ts'
import { defaultTopicSettings, type Output, type StateChange, type TopicSettings } from './log.ts'

const suffix = '.changelog'

/**
 * `<store>.changelog`. What a topic's name may not have becomes `_x` and two hexadecimal digits a
 * byte; `_x` itself becomes `_x5fx`, so that every store has a topic of its own.
 */
export function changelogOf(store: string): string {
  const escaped = store.replaceAll('_x', '_x5fx').replace(/[^a-zA-Z0-9._-]+/gu, (text) => {
    return [...Buffer.from(text)].map((byte) => `_x${byte.toString(16).padStart(2, '0')}`).join('')
  })
  return `${escaped}${suffix}`
}

/** The store of a changelog; undefined for any other topic. */
export function storeOf(topic: string): string | undefined {
  if (!topic.endsWith(suffix)) return undefined
  const bytes = topic
    .slice(0, -suffix.length)
    .replace(/_x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
  // Names are ASCII, and what was escaped are the bytes of UTF-8.
  return Buffer.from(bytes, 'latin1').toString()
}

/** Of a changelog that has room for this partition. */
export const changelogSettings = (partition: number): TopicSettings => ({
  ...defaultTopicSettings,
  // A power of two, so that a topic that grows with its partitions grows seldom.
  partitions: 2 ** Math.ceil(Math.log2(partition + 1)),
  cleanup: 'compact',
  // A window or a join keeps all of a key in one value.
  maxMessageBytes: 4 * 1024 * 1024,
})

/** One output a changelog and partition, each key once: its last change. */
export function outputsOf(changes: readonly StateChange[], timeMs: number): Output[] {
  const places = Map.groupBy(changes, ({ store, partition }) => `${partition} ${store}`)
  return [...places.values()].map((of) => {
    const { store, partition } = of[0]!
    const last = new Map<string, Uint8Array | null>()
    for (const { key, value } of of) last.set(key, value)
    const topic = changelogOf(store)
    const builder = new BatchBuilder(topic, partition)
    for (const [key, value] of last) builder.append(key, value, timeMs)
    return { topic, partition, batch: builder.build() }
  })
}
