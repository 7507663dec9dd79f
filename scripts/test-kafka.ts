/**
 * What `MILLRACE_LOG=kafka npm test` runs: the suites of whole pipelines, on Kafka in place of the
 * embedded log, and one broker for all of them.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type KafkaCluster, startKafka, whyNoKafka } from './services/kafka.ts'

export const logVariable = 'MILLRACE_LOG'
/** Who opens the log by these runs on the one that the variable names. */
const helper = /from '(?:[./\w-]*\/log-testing\.ts|millrace\/testing)'/

/** True where the tests are to run on Kafka. Throws for a log that there is not. */
export function isOnKafka(): boolean {
  const wanted = process.env[logVariable] ?? ''
  if (wanted !== '' && wanted !== 'kafka') {
    throw new Error(`${logVariable}=${wanted}: say kafka, or leave it out`)
  }
  return wanted === 'kafka'
}

/** The suites of those files that run on Kafka, and says which. */
export function suitesOnKafka(root: string, files: readonly string[]): string[] {
  const chosen = files.filter((file) => helper.test(readFileSync(path.join(root, file), 'utf8')))
  const others = files.length - chosen.length
  console.log(`on Kafka (${logVariable}=kafka):\n${chosen.map((file) => `  ${file}`).join('\n')}`)
  console.log(
    `not run: ${others} other files; they are of one part, of the embedded log, or bring their Kafka\n`,
  )
  return chosen
}

/** Throws where there is none to be had: what was asked for may not be left out quietly. */
export async function brokerForAll(): Promise<KafkaCluster> {
  const why = whyNoKafka()
  if (why !== undefined) throw new Error(`${logVariable}=kafka, and there is no Kafka: ${why}`)
  return startKafka()
}
