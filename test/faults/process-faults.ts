/** Faults of the processes that run the application. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../src/core/random.ts'
import { type KafkaCommitStep, kafkaCommitSteps } from '../../src/log/kafka-transaction.ts'
import { between, type Done, done, type Fault, notDone, seconds } from './fault.ts'
import type { Life } from './life.ts'
import type { World } from './world.ts'

const drainMs = 20_000
const startMs = 45_000
const crashMs = 30_000
const mostTransactions = 12
const stoppedMs = 13_000
const comeAndGoMs = 15_000
const comeAndGoEveryMs = 5_000

/** One that has had the time to begin its work, or one that starts: both are killed. */
async function killProcess(world: World, random: Random): Promise<Done> {
  await sleep(between(random, 0, 2500))
  const life = world.pick(random)
  if (life === undefined) return notDone('nobody was there')
  await life.kill()
  return done(`process ${life.number} after ${seconds(Date.now() - life.startedAtMs)}`)
}

/** One more process comes, takes over from one that leaves, and ends at a step of a transaction. */
async function killAtStep(world: World, random: Random, step: KafkaCommitStep): Promise<Done> {
  // A producer begins once, unless something goes wrong.
  const nth = step === 'begun' ? 1 : 1 + Math.floor(random() ** 2 * mostTransactions)
  const life = world.startCrashing({ step, nth, where: 'workers' })
  const words = `process ${life.number}, time ${nth}`
  await life.says('"started"', startMs)
  await world.pick(random)?.drain(drainMs)
  const isOver = await life.within(crashMs)
  if (!isOver) await life.kill()
  if (isOver && life.ending?.signal === 'SIGKILL') return done(words)
  return notDone(`${words} (it came not so far)`)
}

/** Its partitions go to others, then it wakes and goes on where it stood. */
async function zombie(world: World, random: Random): Promise<Done> {
  await sleep(between(random, 0, 1500))
  const life = world.pick(random)
  if (life === undefined) return notDone('nobody was there')
  life.signal('SIGSTOP')
  await sleep(stoppedMs)
  life.signal('SIGCONT')
  return done(`process ${life.number}`)
}

/** Every few seconds one commits what it has and leaves, or one more comes. */
async function comeAndGo(world: World, random: Random): Promise<Done> {
  const untilMs = Date.now() + comeAndGoMs
  const words: string[] = []
  const guests: Life[] = []
  while (Date.now() < untilMs && !world.isOver) {
    const life = random() < 0.5 ? world.pick(random) : undefined
    if (life !== undefined) {
      const isWell = await life.drain(drainMs)
      words.push(`${life.number} left${isWell ? '' : ' by force'}`)
    } else {
      const guest = world.start()
      guests.push(guest)
      words.push(`${guest.number} came`)
    }
    await sleep(comeAndGoEveryMs)
  }
  for (const life of guests) if (life.isRunning && !world.isOver) await life.drain(drainMs)
  return words.length > 0 ? done(words.join(', ')) : notDone('the run ended')
}

export const processFaults: readonly Fault[] = [
  { name: 'kill -9 of a process', brokers: 1, inflict: killProcess },
  ...kafkaCommitSteps.map((step) => ({
    name: `kill -9 at a commit's step '${step}'`,
    brokers: 1,
    inflict: (world: World, random: Random) => killAtStep(world, random, step),
  })),
  { name: 'zombie', brokers: 1, inflict: zombie },
  { name: 'processes come and go', brokers: 1, inflict: comeAndGo },
]
