/** Writes tweets to the topic `raw`, as fast as they go or at a rate; a process or thread of its own. */
import { BatchBuilder } from '../src/core/batch-builder.ts'
import { seededRandom } from '../src/core/random.ts'
import type { EmbeddedLog } from '../src/log/embedded.ts'
import { tweet } from './tweets.ts'

const partitions = 4

/** The JSON of the first `count` tweets, made before the clock starts. */
export function makeTweets(count: number): string[] {
  const random = seededRandom(3)
  return Array.from({ length: count }, (_, index) => JSON.stringify(tweet(index, random)))
}

/** Appends tweets [from, to) in one commit, spread over the partitions; their time is `timeMs`. */
export async function append(
  log: EmbeddedLog,
  tweets: readonly string[],
  from: number,
  to: number,
  timeMs: number,
): Promise<void> {
  const builders = Array.from({ length: partitions }, (_, p) => new BatchBuilder('raw', p))
  for (let index = from; index < to; index++) {
    builders[index % partitions]!.append(null, tweets[index % tweets.length]!, timeMs)
  }
  const outputs = builders
    .filter((builder) => builder.count > 0)
    .map((builder) => ({
      topic: 'raw',
      partition: builder.partition,
      batch: builder.build(),
    }))
  await log.commit({ outputs })
}
