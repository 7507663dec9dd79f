/** What is done to a running application and its brokers, each a small function. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '../../scripts/services/kafka.ts'
import type { Random } from '../../src/core/random.ts'
import { kafkaCommitSteps } from '../../src/log/kafka-transaction.ts'
import type { Life } from './life.ts'
import type { World } from './world.ts'

export interface Fault {
  readonly name: string
  /** How many brokers there have to be. */
  readonly brokers: number
  /** Resolves once all is as before; with what exactly was done, for people. */
  inflict(world: World, random: Random): Promise<string>
}

const drainMs = 20_000
const crashMs = 20_000
const pausedMs = 15_000
const stoppedMs = 13_000
const comeAndGoMs = 15_000
const comeAndGoEveryMs = 5_000
const starvedMs = 6_000

const between = (random: Random, least: number, most: number) => least + random() * (most - least)

/** One that has had the time to begin its work, or one that starts: both are killed. */
async function killProcess(world: World, random: Random): Promise<string> {
  await sleep(between(random, 0, 2500))
  const life = world.pick(random)
  if (life === undefined) return 'nobody was there'
  await life.kill()
  return `process ${life.number} after ${seconds(Date.now() - life.startedAtMs)}`
}

let turns = 0

/** At each step of a transaction in turn. */
async function killAtStep(world: World, random: Random): Promise<string> {
  const step = kafkaCommitSteps[turns++ % kafkaCommitSteps.length]!
  // A producer begins once, unless something goes wrong.
  const nth = step === 'begun' ? 1 : 1 + Math.floor(random() ** 2 * 30)
  await world.pick(random)?.kill()
  const life = await world.startCrashing({ step, nth, where: 'workers' })
  const isOver = await life.within(crashMs)
  if (!isOver) await life.kill()
  const how = life.ending?.signal === 'SIGKILL' && isOver ? '' : ' (it came not so far)'
  return `process ${life.number} at '${step}', time ${nth}${how}`
}

/** Its partitions go to others, then it wakes and goes on where it stood. */
async function zombie(world: World, random: Random): Promise<string> {
  await sleep(between(random, 0, 1500))
  const life = world.pick(random)
  if (life === undefined) return 'nobody was there'
  life.signal('SIGSTOP')
  await sleep(stoppedMs)
  life.signal('SIGCONT')
  return `process ${life.number}`
}

/** Every few seconds one commits what it has and leaves, or one more comes. */
async function comeAndGo(world: World, random: Random): Promise<string> {
  const untilMs = Date.now() + comeAndGoMs
  const done: string[] = []
  const guests: Life[] = []
  while (Date.now() < untilMs && !world.isDone && !world.isBroken) {
    if (random() < 0.5) {
      const life = world.pick(random)
      if (life !== undefined) {
        const isWell = await life.drain(drainMs)
        done.push(`${life.number} left${isWell ? '' : ' by force'}`)
      }
    } else {
      const life = world.start()
      guests.push(life)
      done.push(`${life.number} came`)
    }
    await sleep(comeAndGoEveryMs)
  }
  for (const life of guests) if (life.isRunning && !world.isDone) await life.drain(drainMs)
  return done.join(', ')
}

function brokerOf(world: World, random: Random): Broker {
  const { brokers } = world.options.cluster
  return brokers[Math.floor(random() * brokers.length)]!
}

async function killBroker(world: World, random: Random): Promise<string> {
  const broker = brokerOf(world, random)
  await broker.kill()
  await sleep(between(random, 0, 8000))
  await broker.start()
  return `broker ${broker.id}`
}

/** In order: it hands over what it leads and coordinates. */
async function restartBroker(world: World, random: Random): Promise<string> {
  const broker = brokerOf(world, random)
  await broker.stop()
  await sleep(between(random, 0, 2000))
  await broker.start()
  return `broker ${broker.id}`
}

async function pauseBroker(world: World, random: Random): Promise<string> {
  const broker = brokerOf(world, random)
  await broker.pause()
  await sleep(pausedMs)
  await broker.resume()
  return `broker ${broker.id}`
}

/** One topic asks for more copies in sync than there are: its writers wait. */
async function tooFewInSync(world: World, random: Random): Promise<string> {
  const short = random() < 0.5 ? 'scored' : 'matched'
  const topic = `${world.options.run}-${short}`
  const broker = brokerOf(world, random)
  await setMinInSync(world, topic, 3)
  await broker.kill()
  await sleep(starvedMs)
  await broker.start()
  await setMinInSync(world, topic, 2)
  return `${short} without broker ${broker.id}`
}

async function setMinInSync(world: World, topic: string, count: number): Promise<void> {
  const { cluster } = world.options
  const { code, stdout, stderr } = await cluster.tool('kafka.admin.ConfigCommand', [
    ...['--bootstrap-server', cluster.bootstrapServers, '--entity-type', 'topics'],
    ...['--entity-name', topic, '--alter', '--add-config', `min.insync.replicas=${count}`],
  ])
  if (code !== 0) throw new Error(`min.insync.replicas of ${topic}: ${stdout}${stderr}`)
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

export const faults: readonly Fault[] = [
  { name: 'kill -9 of a process', brokers: 1, inflict: killProcess },
  { name: 'kill -9 at a step of a commit', brokers: 1, inflict: killAtStep },
  { name: 'zombie', brokers: 1, inflict: zombie },
  { name: 'processes come and go', brokers: 1, inflict: comeAndGo },
  { name: 'kill -9 of a broker', brokers: 1, inflict: killBroker },
  { name: 'restart of a broker', brokers: 1, inflict: restartBroker },
  { name: 'paused broker', brokers: 1, inflict: pauseBroker },
  { name: 'too few in sync', brokers: 3, inflict: tooFewInSync },
]
