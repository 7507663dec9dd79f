/** The doctor's words for what brokers run and what they can do. */
import type { Greeting } from '../log/kafka-probe-greeting.ts'
import { neededRequests, releaseOf, unknownRequests } from '../log/kafka-probe-versions.ts'
import type { NamedFinding } from './doctor-check.ts'

const metadataVersion = 'metadata.version'
const fewWords = 5

export function versionFindings(greetings: readonly Greeting[]): NamedFinding[] {
  const releases = [
    ...new Set(greetings.map((one) => releaseOf(one.supported.get(metadataVersion)))),
  ]
  const untold = 'a release that it does not tell (Redpanda, or Kafka with ZooKeeper)'
  const told = releases
    .map((one) => (one === undefined ? untold : `Apache Kafka ${one}`))
    .join(', ')
  const lacking = greetings.map(unknownRequests).toSorted((a, b) => b.length - a.length)[0] ?? []
  if (lacking.length > 0) {
    const some = lacking.slice(0, fewWords).map(({ name, version, upTo }) => {
      return `${name} ${version}${upTo === undefined ? '' : ` (knows up to ${upTo})`}`
    })
    const more = lacking.length > fewWords ? ` and ${lacking.length - fewWords} more` : ''
    const saw = `${told}; requests that are needed are not known: ${some.join(', ')}${more}`
    return [{ name: 'version', health: 'fail', saw, fix: 'Kafka 3.7 or newer is needed' }]
  }
  const count = Object.keys(neededRequests).length
  const saw = `${told}; all ${count} requests that Millrace makes are known`
  const version: NamedFinding =
    releases.length > 1
      ? { name: 'version', health: 'warn', saw, fix: 'finish the upgrade: brokers differ' }
      : { name: 'version', health: 'ok', saw }
  return [version, ...featureFindings(greetings)]
}

function featureFindings([greeting]: readonly Greeting[]): NamedFinding[] {
  if (greeting === undefined || greeting.finalized.size === 0) return []
  const { finalized, supported } = greeting
  const level = finalized.get(metadataVersion)
  const release = releaseOf(level)
  const others = [...finalized].filter(([name]) => name !== metadataVersion)
  const list = others.map(([name, one]) => `${name} ${one}`).join(', ')
  const saw = `${metadataVersion} ${level} (${release ?? 'unknown'})${list === '' ? '' : `, ${list}`}`
  if (release === releaseOf(supported.get(metadataVersion))) {
    return [{ name: 'features', health: 'ok', saw }]
  }
  const fix = 'once no older broker comes back: kafka-features upgrade --release-version'
  return [{ name: 'features', health: 'warn', saw: `${saw}: older than the brokers`, fix }]
}
