/**
 * Faults of brokers, and of what they coordinate. Only where there are several: while the one replica of
 * a partition is away, Kafka 4.1 to 4.3 skip the markers of transactions that are committed
 * (KAFKA-20734), which no client can mend.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '../../scripts/services/kafka.ts'
import type { Random } from '../../src/core/random.ts'
import { coordinatorOf, moveCoordinators, untilInSync } from './coordinators.ts'
import { between, brokerOf, type Done, done, type Fault, notDone, oneOf } from './fault.ts'
import type { World } from './world.ts'

const pausedMs = 15_000
const starvedMs = 6_000

async function killBroker(world: World, random: Random): Promise<Done> {
  return killed(world, brokerOf(world, random), random)
}

async function killed(world: World, broker: Broker, random: Random, why = ''): Promise<Done> {
  await broker.kill()
  await sleep(between(random, 0, 8000))
  await broker.start()
  await untilInSync(world.options.cluster)
  return done(`broker ${broker.id}${why}`)
}

/** In order: it hands over what it leads and coordinates. */
async function restartBroker(world: World, random: Random): Promise<Done> {
  const broker = brokerOf(world, random)
  await broker.stop()
  await sleep(between(random, 0, 2000))
  await broker.start()
  await untilInSync(world.options.cluster)
  return done(`broker ${broker.id}`)
}

async function pauseBroker(world: World, random: Random): Promise<Done> {
  const broker = brokerOf(world, random)
  await broker.pause()
  await sleep(pausedMs)
  await broker.resume()
  await untilInSync(world.options.cluster)
  return done(`broker ${broker.id}`)
}

/** One topic asks for more copies in sync than there are: its writers wait. */
async function tooFewInSync(world: World, random: Random): Promise<Done> {
  const short = random() < 0.5 ? 'scored' : 'matched'
  const broker = brokerOf(world, random)
  await world.configure(short, 'min.insync.replicas', '3')
  await broker.kill()
  await sleep(starvedMs)
  await broker.start()
  await world.configure(short, 'min.insync.replicas', '2')
  await untilInSync(world.options.cluster)
  return done(`${short} without broker ${broker.id}`)
}

/** That of a pipeline's group, or of one of its transactional ids. */
async function killCoordinator(world: World, random: Random): Promise<Done> {
  const kind = random() < 0.5 ? 'group' : 'transaction'
  const found = await coordinatorOf(world, kind, random)
  const broker = world.options.cluster.brokers.find(({ id }) => id === found?.node)
  if (found === undefined || broker === undefined) return notDone('there was none')
  return killed(world, broker, random, `, which coordinates ${kind} ${found.key}`)
}

/** Every coordinator of groups and transactions, each to another broker, all brokers alive. */
async function electCoordinators(world: World): Promise<Done> {
  const moved = await moveCoordinators(world.options.cluster)
  return moved > 0 ? done(`${moved} partitions`) : notDone('none moved')
}

/** The first processes come while one broker of several is away; then it comes back. */
async function startWithout(world: World, random: Random): Promise<Done> {
  const broker = brokerOf(world, random)
  await broker.kill()
  void world.keepAlive()
  await sleep(oneOf([2_000, 6_000, 12_000], random))
  await broker.start()
  await untilInSync(world.options.cluster)
  return done(`broker ${broker.id}`)
}

export const brokerFaults: readonly Fault[] = [
  { name: 'kill -9 of a broker', brokers: 3, inflict: killBroker },
  { name: 'restart of a broker', brokers: 3, inflict: restartBroker },
  { name: 'paused broker', brokers: 3, inflict: pauseBroker },
  { name: 'too few in sync', brokers: 3, inflict: tooFewInSync },
  { name: 'kill -9 of a coordinator', brokers: 3, inflict: killCoordinator },
  { name: 'coordinators move', brokers: 3, inflict: electCoordinators },
  { name: 'start without a broker', brokers: 3, isAtStart: true, inflict: startWithout },
]
