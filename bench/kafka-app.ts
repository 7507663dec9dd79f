/** The work of bench/kafka.ts as an application; topics and group are named by the environment. */
import { topic } from 'millrace'
import type { Tweet } from './tweets.ts'
import { scoring } from './tweets-app.ts'

const named = (name: string) => {
  const value = process.env[name]
  if (value === undefined) throw new Error(`bench: ${name} is not set; run npm run bench:kafka`)
  return value
}

const raw = topic<Tweet>(named('BENCH_INPUT'))

export const score = scoring(named('BENCH_GROUP'), raw, named('BENCH_OUTPUT'))
