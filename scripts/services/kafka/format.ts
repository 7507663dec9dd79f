/**
 * Formats the storage of new brokers: by Kafka's own tool the first time, later as that did it, which
 * saves a Java process a broker.
 */
import { randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { outcome, shortLived, startJava } from './jars.ts'
import type { Place } from './properties.ts'

/** The versions of features that a new cluster begins with: the same for all of one Kafka. */
const checkpoint = 'bootstrap.checkpoint'

/** An id as Kafka makes them; one that begins with '-' would be taken for an option. */
export function newId(): string {
  const bytes = Buffer.from(randomUUID().replaceAll('-', ''), 'hex')
  bytes[0] = 1
  return bytes.toString('base64url')
}

/** `properties` names the broker's file of settings. */
export async function formatStorage(
  jars: string,
  clusterId: string,
  place: Place,
  properties: string,
): Promise<void> {
  const kept = path.join(jars, checkpoint)
  const own = path.join(place.dataDirectory, checkpoint)
  if (!existsSync(kept)) {
    await runTool(jars, clusterId, properties)
    copyFileSync(own, `${kept}.${process.pid}`)
    renameSync(`${kept}.${process.pid}`, kept)
    return
  }
  mkdirSync(place.dataDirectory)
  copyFileSync(kept, own)
  const lines = ['version=1', `cluster.id=${clusterId}`, `node.id=${place.id}`]
  const text = [...lines, `directory.id=${newId()}`, ''].join('\n')
  writeFileSync(path.join(place.dataDirectory, 'meta.properties'), text)
}

async function runTool(jars: string, clusterId: string, properties: string): Promise<void> {
  const child = startJava({
    directory: jars,
    options: shortLived,
    className: 'kafka.tools.StorageTool',
    args: ['format', '--cluster-id', clusterId, '--config', properties],
    logLevel: 'warn',
  })
  const { code, stdout, stderr } = await outcome(child)
  if (code !== 0) throw new Error(`services: Kafka's storage was not formatted: ${stdout}${stderr}`)
}
