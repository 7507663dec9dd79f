/** Faults of the network, by the proxy: on the ways of all to one broker, or of some processes to all. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../src/core/random.ts'
import { between, type Done, done, type Fault, notDone, oneOf, seconds } from './fault.ts'
import type { Gate, Trouble } from './proxy.ts'
import type { World } from './world.ts'

const shortestMs = 5_000
const longestMs = 15_000

interface Ways {
  readonly gates: readonly Gate[]
  readonly words: string
}

function waysOf(world: World, random: Random): Ways {
  const { network, cluster } = world.options
  const life = world.pick(random)
  if (life === undefined || random() < 0.5) {
    const index = Math.floor(random() * cluster.brokers.length)
    return { gates: network.toBroker(index), words: `of all to broker ${index + 1}` }
  }
  return { gates: network.ofView(life.view), words: `of process ${life.number} to all brokers` }
}

async function trouble(world: World, random: Random, kind: Trouble, detail: string): Promise<Done> {
  const { gates, words } = waysOf(world, random)
  const forMs = between(random, shortestMs, longestMs)
  const resets = () => gates.reduce((sum, { counts }) => sum + counts.reset, 0)
  const before = resets()
  for (const gate of gates) gate.begin(kind)
  try {
    await sleep(forMs)
  } finally {
    for (const gate of gates) await gate.calm()
  }
  const told = `ways ${words}, ${detail}, ${seconds(forMs)}`
  if (kind.kind !== 'reset') return done(told)
  const count = resets() - before
  return count > 0 ? done(`${told}, ${count} times`) : notDone(`${told}, never`)
}

function slow(world: World, random: Random): Promise<Done> {
  const delayMs = oneOf([50, 200, 1000], random)
  const bytesPerSecond = oneOf([10_000, 100_000], random)
  const detail = `${delayMs} ms late, ${bytesPerSecond / 1000} kB/s`
  return trouble(world, random, { kind: 'slow', bytesPerSecond, delayMs }, detail)
}

function halfOpen(world: World, random: Random): Promise<Done> {
  const isLate = random() < 0.5
  const direction = random() < 0.5 ? 'both' : 'answers'
  const detail = `${direction === 'both' ? 'all' : 'answers'} ${isLate ? 'late' : 'lost'}`
  return trouble(world, random, { kind: 'half-open', direction, isLate }, detail)
}

function reset(world: World, random: Random): Promise<Done> {
  const mostBytes = oneOf([300, 3_000, 30_000], random)
  const detail = `within ${mostBytes} bytes`
  return trouble(world, random, { kind: 'reset', mostBytes, random }, detail)
}

function refuse(world: World, random: Random): Promise<Done> {
  return trouble(world, random, { kind: 'refused' }, 'closed')
}

export const networkFaults: readonly Fault[] = [
  { name: 'slow network', brokers: 1, inflict: slow },
  { name: 'half-open connections', brokers: 1, inflict: halfOpen },
  { name: 'connections reset in an answer', brokers: 1, inflict: reset },
  { name: 'connections refused', brokers: 1, inflict: refuse },
]
