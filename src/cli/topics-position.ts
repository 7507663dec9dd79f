/** Places in a topic as options name them. */
import { InvalidArgumentError } from 'commander'
import { type Position, positionHint, readPosition } from '../pipeline/position.ts'
import type { StartChoice } from '../pipeline/start.ts'

export { offsetAt, type Position, positionHint } from '../pipeline/position.ts'

export const startHint =
  'where topics begin that were never read: earliest, latest, a time, -1h, TOPIC/PARTITION=OFFSET,...'

/** Throws commander's `InvalidArgumentError`. */
export function parsePosition(text: string): Position {
  const position = readPosition(text)
  if (position !== undefined) return position
  throw new InvalidArgumentError(`${positionHint} is needed.`)
}

/**
 * `latest`, `orders=-1h`, `orders/3=1200`, several with commas: each says where a partition is read
 * from that was never read. Throws commander's `InvalidArgumentError`.
 */
export function parseStart(text: string): readonly StartChoice[] {
  return text.split(',').map((part) => {
    const [, topic, partition, place] = /^(?:([\w.-]+?)(?:\/(\d+))?=)?(.*)$/.exec(part.trim())!
    const position = parsePosition(place!)
    if (position.kind === 'offset' && partition === undefined) {
      const hint = `name its partition: TOPIC/PARTITION=${place}`
      throw new InvalidArgumentError(`an offset is a place in one partition; ${hint}`)
    }
    return { topic, partition: partition === undefined ? undefined : Number(partition), position }
  })
}
