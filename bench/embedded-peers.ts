/** What bounds the work, and what one would write by hand, beside Millrace in the same run. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { trainSentiment } from './tweets.ts'

const batchSize = 4000

/** Parse, score and stringify in a loop: messages/s without any log. */
export function bareScoring(tweets: readonly string[], messages: number): number {
  const model = trainSentiment()
  const buffers = tweets.map((text) => Buffer.from(text))
  let sizeBytes = 0
  const startedAt = performance.now()
  for (let done = 0; done < messages; done += batchSize) {
    const values: { text: string }[] = []
    for (let index = 0; index < batchSize; index++) {
      const bytes = buffers[(done + index) % buffers.length]!
      values.push(JSON.parse(bytes.toString()) as { text: string })
    }
    const answers = model.predict(values.map((value) => value.text))
    for (let index = 0; index < batchSize; index++) {
      sizeBytes += JSON.stringify({ ...values[index]!, sentiment: answers[index] }).length
    }
  }
  const seconds = (performance.now() - startedAt) / 1000
  if (sizeBytes === 0) throw new Error('nothing was scored')
  return messages / seconds
}

/** A row a message, inputs, outputs and offset in one transaction of 1,000: messages/s. */
export async function rowsInSqlite(
  directory: string,
  tweets: readonly string[],
  messages: number,
): Promise<number> {
  const model = trainSentiment()
  const database = new DatabaseSync(join(directory, 'rows.db'))
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec('CREATE TABLE raw (id INTEGER PRIMARY KEY, value TEXT)')
  database.exec('CREATE TABLE scored (id INTEGER PRIMARY KEY, value TEXT)')
  database.exec('CREATE TABLE position (id INTEGER PRIMARY KEY, next INTEGER)')
  const fill = database.prepare('INSERT INTO raw (value) VALUES (?)')
  database.exec('BEGIN')
  for (let index = 0; index < messages; index++) fill.run(tweets[index % tweets.length]!)
  database.exec('COMMIT')
  const read = database.prepare('SELECT id, value FROM raw WHERE id > ? ORDER BY id LIMIT 1000')
  const write = database.prepare('INSERT INTO scored (id, value) VALUES (?, ?)')
  const commit = database.prepare('INSERT OR REPLACE INTO position VALUES (1, ?)')
  const startedAt = performance.now()
  for (let next = 0; next < messages; ) {
    const rows = read.all(next) as { id: number; value: string }[]
    const values = rows.map((row) => JSON.parse(row.value) as { text: string })
    const answers = model.predict(values.map((value) => value.text))
    database.exec('BEGIN IMMEDIATE')
    rows.forEach((row, index) => {
      write.run(row.id, JSON.stringify({ ...values[index]!, sentiment: answers[index] }))
    })
    next = rows.at(-1)!.id
    commit.run(next)
    database.exec('COMMIT')
  }
  const seconds = (performance.now() - startedAt) / 1000
  database.close()
  return messages / seconds
}
