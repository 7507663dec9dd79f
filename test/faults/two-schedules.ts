/**
 * Two schedules of faults, with seeds that stay: one on one broker, one on three. `npm run test:faults`
 * runs many, with others. A part of `npm run test:faults:short`, not of `npm test`: a broker that is
 * killed now and then still leaves an application waiting for longer than the suite allows.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { unlessMissing } from '../../src/log/kafka-testing.ts'
import { faults } from './faults.ts'
import { closeGround, openGround, whyNoGround } from './ground.ts'
import { type Calm, runCalm, runSchedule } from './schedule.ts'

const faultMs = 30_000
const orders = 1800
const schedules = [
  { brokers: 1, seed: 10 },
  { brokers: 3, seed: 8 },
] as const

unlessMissing('an application under faults writes what it always writes', whyNoGround(), () => {
  /** What is right does not depend on how many brokers there are. */
  let calm: Calm | undefined

  for (const { brokers, seed } of schedules) {
    it(`on ${brokers === 1 ? 'one broker' : `${brokers} brokers`}`, async (test) => {
      const ground = await openGround(brokers)
      try {
        calm ??= await runCalm(ground, orders)
        const some = faults.filter((fault) => fault.brokers <= brokers)
        const tell = (words: string) => test.diagnostic(words)
        const options = { ground, seed, calm, faults: some, faultMs, tell }
        const inflicted = await runSchedule(options)
        assert.ok(inflicted.length > 0, 'at least one fault was inflicted')
      } finally {
        await closeGround(ground)
      }
    })
  }
})
