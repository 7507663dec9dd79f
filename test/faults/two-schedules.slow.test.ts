/**
 * Two schedules of faults, of a few each, as a part of `npm test`: on three brokers. `npm run
 * test:faults` runs many, with all faults.
 */
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { unlessMissing } from '../../src/log/kafka-testing.ts'
import { faults } from './faults.ts'
import { closeGround, type Ground, openGround, whyNoGround } from './ground.ts'
import { type Calm, runCalm, runSchedule } from './schedule.ts'

const orders = 3600
const schedules = [
  {
    ...{ name: 'processes end at commits, one sleeps too long, a coordinator is killed', seed: 1 },
    hand: ["kill -9 at a commit's step 'ending'", 'zombie', 'kill -9 of a coordinator'],
  },
  {
    ...{ name: 'answers break off, a broker stands still, a process ends at a commit', seed: 2 },
    hand: [
      ...['connections reset in an answer', 'paused broker'],
      "kill -9 at a commit's step 'produced'",
    ],
  },
] as const

unlessMissing('an application under faults writes what it always writes', whyNoGround(), () => {
  let ground: Ground | undefined
  let calm: Calm

  before(async () => {
    ground = await openGround(3)
    calm = await runCalm(ground, orders)
  })

  after(async () => {
    if (ground !== undefined) await closeGround(ground)
  })

  for (const { name, seed, hand: names } of schedules) {
    it(name, async (test) => {
      const hand = names.map((one) => faults.find((fault) => fault.name === one)!)
      const tell = (words: string) => test.diagnostic(words)
      const inflicted = await runSchedule({ ground: ground!, seed, calm, hand, faultMs: 0, tell })
      const done = inflicted.map((one) => one.name).sort()
      assert.deepEqual(done, [...names].sort(), 'each fault was inflicted')
    })
  }
})
