/** Topics of the embedded log: rows of `topics` and `partitions`, remembered by name. */
import { randomInt } from 'node:crypto'
import { fail } from '../core/errors.ts'
import { checkName, checkTopicSettings } from './checks.ts'
import type { EmbeddedDatabase, Row } from './embedded-database.ts'
import type { OffsetRange, TopicInfo, TopicSettings } from './log.ts'
import { defaultTopicSettings } from './log.ts'

export interface StoredTopic {
  readonly id: number
  readonly info: TopicInfo
}

const columns = `id, name, identity, partitions, cleanup, retention_ms, retention_bytes,
  max_message_bytes, compression`

export class TopicCatalog {
  readonly #database: EmbeddedDatabase
  readonly #known = new Map<string, StoredTopic>()

  constructor(database: EmbeddedDatabase) {
    this.#database = database
  }

  /**
   * The topic of that name, possibly from memory: another process may have deleted it meanwhile, so
   * whoever finds none of its rows calls `forget` and asks again. Throws `TOPIC_UNKNOWN`.
   */
  get(name: string): StoredTopic {
    const topic = this.#known.get(name) ?? this.find(name)
    if (topic === undefined) {
      throw fail('TOPIC_UNKNOWN', `topic ${name}: there is none in ${this.#database.directory}`)
    }
    return topic
  }

  /** As `get`, and the partition is one that the topic has. */
  partition(name: string, partition: number): StoredTopic {
    const topic = this.get(name)
    if (!Number.isInteger(partition) || partition < 0 || partition >= topic.info.partitions) {
      const { partitions } = topic.info
      throw fail('TOPIC_UNKNOWN', `topic ${name}: has ${partitions} partitions, no ${partition}`)
    }
    return topic
  }

  /** As it stands in the database. */
  find(name: string): StoredTopic | undefined {
    const row = this.#database.prepare(`SELECT ${columns} FROM topics WHERE name = ?`).get(name)
    if (row === undefined) {
      this.#known.delete(name)
      return undefined
    }
    const topic = topicOf(row)
    this.#known.set(name, topic)
    return topic
  }

  forget(name: string): void {
    this.#known.delete(name)
  }

  list(): StoredTopic[] {
    const rows = this.#database.prepare(`SELECT ${columns} FROM topics ORDER BY name`).all()
    return rows.map(topicOf)
  }

  async create(name: string, settings: Partial<TopicSettings>): Promise<TopicInfo> {
    checkName('topic', name)
    const wanted = { ...defaultTopicSettings, ...settings }
    checkTopicSettings(name, wanted)
    const topic = await this.#database.write(() => {
      if (this.find(name) !== undefined) {
        throw fail('TOPIC_EXISTS', `topic ${name}: exists already; use it or choose another name`)
      }
      this.#insert(name, wanted)
      return this.get(name)
    })
    return topic.info
  }

  #insert(name: string, settings: TopicSettings): void {
    const insert = this.#database.prepare(
      `INSERT INTO topics (name, identity, partitions, cleanup, retention_ms, retention_bytes,
         max_message_bytes, compression) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    )
    const row = insert.get(
      name,
      newIdentity(),
      settings.partitions,
      settings.cleanup,
      settings.retentionMs ?? null,
      settings.retentionBytes ?? null,
      settings.maxMessageBytes,
      settings.compression,
    )
    const addPartition = this.#database.prepare(
      'INSERT INTO partitions (topic_id, partition) VALUES (?, ?)',
    )
    for (let partition = 0; partition < settings.partitions; partition++) {
      addPartition.run(row![0]!, partition)
    }
  }

  /** Removes all rows; returns the topic, whose files can go now. Throws `TOPIC_UNKNOWN`. */
  async remove(name: string): Promise<StoredTopic> {
    const removed = await this.#database.write(() => {
      const topic = this.find(name) ?? this.get(name)
      for (const table of ['partitions', 'segments', 'batches', 'removed']) {
        this.#database.prepare(`DELETE FROM ${table} WHERE topic_id = ?`).run(topic.id)
      }
      for (const table of ['checkpoints', 'owners']) {
        this.#database.prepare(`DELETE FROM ${table} WHERE topic = ?`).run(name)
      }
      this.#database.prepare('DELETE FROM topics WHERE id = ?').run(topic.id)
      return topic
    })
    this.forget(name)
    return removed
  }

  /** Throws `TOPIC_UNKNOWN`. */
  offsets(name: string, partition: number): OffsetRange {
    const look = this.#database.prepare(
      'SELECT start_offset, next_offset FROM partitions WHERE topic_id = ? AND partition = ?',
    )
    let row = look.get(this.partition(name, partition).id, partition)
    if (row === undefined) {
      this.forget(name)
      row = look.get(this.partition(name, partition).id, partition)
    }
    return { start: row![0] as number, end: row![1] as number }
  }
}

/** 8 characters of base 36: new each time a topic is made. */
export function newIdentity(): string {
  let identity = ''
  for (let index = 0; index < 8; index++) identity += randomInt(36).toString(36)
  return identity
}

function topicOf(row: Row): StoredTopic {
  const [id, name, identity, partitions, cleanup, retentionMs, retentionBytes, max, compression] =
    row as [number, string, string, number, string, number | null, number | null, number, string]
  const info = {
    name,
    identity,
    partitions,
    cleanup: cleanup as TopicInfo['cleanup'],
    maxMessageBytes: max,
    compression: compression as TopicInfo['compression'],
    ...(retentionMs === null ? {} : { retentionMs }),
    ...(retentionBytes === null ? {} : { retentionBytes }),
  }
  return { id, info }
}
